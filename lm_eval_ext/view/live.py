"""Responses of runs without results: the chunks of their stores, graded as they come.

They are written into the view's own folder as lm-eval logs samples, so that all pages show them like others.
The run's own grading, with its task's settings, replaces them when it ends.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from lm_eval_ext.analysis.adapters import FILTER, adapter, graded_doc
from lm_eval_ext.analysis.lm_eval_files import RunError, hashes
from lm_eval_ext.grading import EXTRACTORS, Grader, GraderConfig, Item
from lm_eval_ext.jsonl import json_line
from lm_eval_ext.view.folder import MANIFEST, Source, Unfinished


@dataclass
class Live:
    """The responses so far, in files in `folder`; `close` ends the grader."""

    folder: Path
    _sources: dict[tuple[Path, str], Source] = field(default_factory=dict)
    _read: set[Path] = field(default_factory=set)

    def update(self, runs: Iterable[Unfinished], seconds: float) -> list[Source]:
        """Reads more chunks of these runs, for about so long; returns the files of all of their tasks."""
        deadline, found = time.monotonic() + seconds, []
        for run in runs:
            if run.store is not None:
                for chunk in sorted({*run.store.glob("*.repeat0.chunk*.jsonl")} - self._read):
                    if time.monotonic() < deadline:
                        self._add(run, run.store, chunk)
                found += [source for (store, _), source in self._sources.items() if store == run.store]
        return found

    def close(self) -> None:
        if "_grader" in self.__dict__:
            self._grader.close()

    @cached_property
    def _grader(self) -> Grader:
        return Grader(GraderConfig(workers=1))

    def _add(self, run: Unfinished, store: Path, chunk: Path) -> None:
        from lm_eval_ext.harness.store.folder import read  # loads lm-eval

        self._read.add(chunk)
        try:
            header, responses = read(chunk)
        except (OSError, ValueError, TypeError):  # the run itself reports and replaces it
            return
        task = header["task"]
        if (store, task) not in self._sources:
            path, manifest = self.folder / f"live{len(self._sources)}.jsonl", store.parents[1] / MANIFEST
            made = Source(run.run, run.model, task, "", path, FILTER, "accuracy", manifest)
            self._sources[store, task] = made
        texts = [response.response for response in responses]
        with self._sources[store, task].path.open("ab") as file:
            file.writelines(map(json_line, self._rows(task, header.get("docs") or [], texts)))

    def _rows(self, task: str, docs: list[dict[str, Any]], texts: list[str]) -> Iterator[dict[str, Any]]:
        """Graded rows of a chunk as lm-eval logs them; documents without a gold are left out."""
        rows = []
        for number, (doc, text) in enumerate(zip(docs, texts, strict=False)):
            row = {"doc_id": number, "doc": doc, "target": doc.get("answer", ""), "resps": [[text]]}
            try:
                graded = graded_doc(task, row, own="gold" in doc)
            except (RunError, KeyError):
                continue
            row |= {"target": str(graded["gold"]), **hashes(doc, "", "")}
            rows.append((row, Item(text, graded["gold"], graded["problem"])))
        extractor = EXTRACTORS[adapter(task).extract]
        verdicts = self._grader.grade([item for _, item in rows], extractor=extractor)
        for (row, _), verdict in zip(rows, verdicts, strict=True):
            row |= {"filter": FILTER, "filtered_resps": [[str(verdict)]], "metrics": ["accuracy"]}
            yield row | {"accuracy": float(verdict.correct is True)}
