"""Responses of a model to documents, graded, chunk by chunk: an interrupted run goes on where it stopped.

A row, of one document::

    {"id": "train-0007", "responses": [{"text": "3 * 8 = 24. ...", "tokens": 17, "capped": false,
     "correct": true, "layer": "exact", "answer": "24"}, ...]}

Finished chunks lie in `OUT.partial/` beside what they were made with; other settings are refused.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from functools import cache
from pathlib import Path
from typing import Any

from tqdm import tqdm

from lm_eval_ext.atomic import write_text
from lm_eval_ext.grading import Verdict
from lm_eval_ext.harness.errors import UserError
from lm_eval_ext.harness.sources import read_rows
from lm_eval_ext.rewards import AccuracyReward

from .documents import Doc
from .generators import Generator, Request, Response, Sampling

Row = dict[str, Any]
CHUNK = 64


def jsonl(rows: Sequence[Row]) -> str:
    """JSON lines."""
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


class Partial:
    """The folder of finished chunks beside an output file.

    Args:
        out: the file that is being made. Raises UserError if it is there already.
        settings: what decides its content; kept in the folder, and compared with what is there.
    """

    def __init__(self, out: Path, settings: Row) -> None:
        if out.exists():
            raise UserError(f"{out} exists; name another file, or remove it to make it again")
        self.out = out
        self.settings = settings
        self.folder = out.with_name(f"{out.name}.partial")
        record = self.folder / "settings.json"
        if record.is_file():
            self._compare(json.loads(record.read_text("utf-8")))
        write_text(record, json.dumps(settings, indent=2, ensure_ascii=False))

    def _compare(self, before: Row) -> None:
        now = json.loads(json.dumps(self.settings))
        for name in before.keys() | now.keys():
            if before.get(name) != now.get(name):
                raise UserError(
                    f"{self.folder} was begun with {name}={before.get(name)!r}, now it is {now.get(name)!r}: "
                    "give the same settings to go on, or remove the folder to begin again"
                )

    def chunk(self, number: int, make: Callable[[], list[Row]]) -> list[Row]:
        """The rows of a chunk: those there are, else new ones, which are kept."""
        file = self.folder / f"{number:06d}.jsonl"
        if not file.is_file():
            write_text(file, jsonl(make()))
        return list(read_rows(file))

    def finish(self, rows: Sequence[Row], report: Row) -> None:
        """Writes the output, and beside it what it was made with; the folder goes."""
        write_text(self.out, jsonl(rows))
        record = {**self.settings, **report}
        write_text(
            self.out.with_name(f"{self.out.name}.json"), json.dumps(record, indent=2, ensure_ascii=False)
        )
        shutil.rmtree(self.folder)


def settings_of(docs: Sequence[Doc], requests: Sequence[Request], sampling: Sampling, **more: Any) -> Row:
    """What decides the rows: problems and prompts (as one digest), sampling, and what else is given."""
    digest = hashlib.sha256()
    for doc, request in zip(docs, requests, strict=True):
        digest.update(f"{request.name}\0{request.prompt}\0{doc['gold']}\0".encode())
    return {**more, "problems": len(docs), "problems_sha256": digest.hexdigest(), **sampling.settings()}


def sampled(
    docs: Sequence[Doc],
    requests: Sequence[Request],
    generator: Callable[[], Generator],
    sampling: Sampling,
    partial: Partial,
    *,
    chunk: int = CHUNK,
    texts: bool = True,
    grading: Mapping[str, Any] | None = None,
) -> list[Row]:
    """Graded responses to each document, in order. See the module for a row.

    Args:
        docs: with `id`, `problem` and `gold`.
        requests: their prompts.
        generator: called once, when the first chunk has to be made: a model is slow to load.
        sampling: how responses are drawn.
        partial: where finished chunks are.
        chunk: documents in a chunk.
        texts: whether the responses' texts are kept.
        grading: settings of `AccuracyReward`, those of the task; None: its defaults.
    """
    found: list[Row] = []
    with (
        ExitStack() as started,
        closing(AccuracyReward(**{"stops": sampling.stops, **(grading or {})})) as reward,
        tqdm(total=len(docs), desc="problems", unit="problem") as progress,
    ):
        engine = cache(lambda: started.enter_context(closing(generator())))
        for number, place in enumerate(range(0, len(docs), chunk)):

            def make(place: int = place) -> list[Row]:
                said = engine().generate(requests[place : place + chunk], sampling)
                return list(_graded(docs[place : place + chunk], said, reward, texts))

            rows = partial.chunk(number, make)
            found += rows
            right = sum(r["correct"] is True for row in found for r in row["responses"])
            progress.set_postfix(right=right, of=sum(len(row["responses"]) for row in found))
            progress.update(len(rows))
    return found


def _graded(
    docs: Sequence[Doc], said: list[list[Response]], reward: AccuracyReward, texts: bool
) -> Iterator[Row]:
    """One batch for the grader, however many responses there are to a document."""
    flat = [(doc, response) for doc, responses in zip(docs, said, strict=True) for response in responses]
    golds, problems = [doc["gold"] for doc, _ in flat], [doc["problem"] for doc, _ in flat]
    verdicts = iter(reward.verdicts([response.text for _, response in flat], golds, problems))
    for doc, responses in zip(docs, said, strict=True):
        yield {"id": doc["id"], "responses": [_row(r, next(verdicts), texts) for r in responses]}


def _row(response: Response, verdict: Verdict, texts: bool) -> Row:
    row = {
        "tokens": response.tokens,
        "capped": response.capped,
        "correct": verdict.correct,
        "layer": verdict.layer,
    }
    return {"text": response.text, **row, "answer": verdict.answer} if texts else row
