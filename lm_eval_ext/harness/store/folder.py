"""The store's files: one folder per settings, one file per chunk.

    DIR/store/lock                                              while a run writes
    DIR/store/<fingerprint>/settings.json
    DIR/store/<fingerprint>/asked.jsonl                         what only the engine knows: rendered chats
    DIR/store/<fingerprint>/<task>.repeat0.chunk00003.<key>.jsonl

A chunk's file has a header, a row per response, and a last line with the SHA-256 of the lines before it:

    {"task": "arith_words", "repeat": 0, "index": 3, "key": "...", "responses": 16, "seconds": 4.1, ...}
    {"doc_id": 48, "prompt_sha256": "...", "response": " 4 + 3 = 7 ...", "tokens": 42, "finish": "stop"}
    {"sha256": "..."}

Files are written at once and never changed; a damaged file is reported, renamed and generated again.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from lm_eval_ext import atomic
from lm_eval_ext.harness.store.chunks import Chunk
from lm_eval_ext.harness.store.settings import Settings
from lm_eval_ext.harness.weights import digest
from lm_eval_ext.jsonl import json_line
from lm_eval_ext.resume import Journal, ResumeError, differences, locked, read_json, write_json

Say = Callable[[str], None]


@dataclass(frozen=True)
class StoredResponse:
    """One response.

    Attributes:
        tokens: its length by the engine, else by the model's tokenizer; None if neither is available.
        finish: why it ended, if the engine says so: "stop", "length".
    """

    doc_id: int | None
    prompt_sha256: str
    response: str
    tokens: int | None = None
    finish: str | None = None


class Store:
    """The chunks of one run, in a folder that no other run may write meanwhile. A context manager.

    Raises ResumeError if another process uses the folder, or it cannot be written.
    """

    def __init__(self, directory: Path, settings: Settings, say: Say) -> None:
        self.root = directory / "store"
        self.folder = self.root / settings.fingerprint[:16]
        self.settings = settings
        self.say = say
        self._closing = ExitStack()

    def __enter__(self) -> Store:
        with ExitStack() as opened:
            try:
                opened.enter_context(locked(self.root / "lock", self.root.parent))
            except OSError as error:
                raise ResumeError(
                    f"{self.root} cannot be written ({error.strerror}): name another DIR"
                ) from None
            self._report_other_settings()
            self.folder.mkdir(exist_ok=True)
            for unfinished in self.folder.glob(".*"):  # temporary files of `atomic`
                unfinished.unlink()
            write_json(self.folder / "settings.json", self.settings.values)
            self.engine_answer = opened.enter_context(EngineAnswers(self.folder / "asked.jsonl"))
            self._closing = opened.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.close()

    def _report_other_settings(self) -> None:
        """Says which settings keep the run from reusing what earlier runs left in the folder."""
        if self.folder.is_dir():
            return
        others = [read_json(path) for path in sorted(self.root.glob("*/settings.json"))]
        different = [differences(self.settings.values, values) for values in others if values]
        if different:
            nearest = min(different, key=len)
            self.say(f"{self.root.parent}: no response of an earlier run is reused: {'; '.join(nearest)}")

    def get(self, chunk: Chunk) -> list[StoredResponse] | None:
        """The responses of a chunk, None if they are not there; a damaged file is reported and renamed."""
        path = self._path(chunk)
        if not path.exists():
            return None
        try:
            header, rows = read(path)
            if header["key"] != chunk.key:
                raise ValueError("it belongs to another chunk")
            if len(rows) != len(chunk.requests):
                raise ValueError(f"it has {len(rows)} of {len(chunk.requests)} responses")
            return rows
        except (OSError, ValueError, KeyError, TypeError) as error:
            os.replace(path, path.with_suffix(".damaged"))
            self.say(f"{path} is damaged ({error}): generating its responses again")
            return None

    def put(self, chunk: Chunk, rows: list[StoredResponse], about: Mapping[str, Any]) -> None:
        """Writes a chunk; once this returns it is on disk."""
        header = {
            "task": chunk.task,
            "repeat": chunk.repeat,
            "index": chunk.index,
            "key": chunk.key,
            "responses": len(rows),
            "generation": chunk.generation,
            **about,
        }
        parts = (header, *map(asdict, rows))
        lines = [json.dumps(part, default=str) for part in parts]  # ASCII: no other line ends
        body = "".join(line + "\n" for line in lines)
        atomic.write_text(self._path(chunk), body + json.dumps({"sha256": _sha256(body)}) + "\n")

    def why_not(self, chunk: Chunk) -> str | None:
        """How the chunk differs from the one that an earlier run left in its place; None if there is none."""
        paths = sorted(self.folder.glob(f"{chunk.place}.*.jsonl"))
        if not paths:
            return None
        kept, here = _header(paths[-1]).get("generation"), chunk.generation
        if kept == here or not kept:
            return "other prompts"
        return "; ".join(differences(here[0], kept[0]))

    def _path(self, chunk: Chunk) -> Path:
        return self.folder / f"{chunk.name}.jsonl"


class EngineAnswers:
    """Answers that only the engine can give, kept so that a run that reuses everything needs no engine."""

    def __init__(self, path: Path) -> None:
        self._journal = Journal(path)
        self._known: dict[str, Any] = {}
        for line in self._journal:
            with suppress(ValueError, KeyError, TypeError):  # older versions left torn lines
                row = json.loads(line)
                self._known[row["key"]] = row["value"]

    def __enter__(self) -> EngineAnswers:
        return self

    def __exit__(self, *_: object) -> None:
        self._journal.close()

    def __call__(self, question: Any, answer: Callable[[], Any]) -> Any:
        """The known answer to a question, else that of `answer`, kept if JSON can hold it unchanged."""
        key = digest(question)
        if key not in self._known:
            value = answer()
            if not _survives_json(value):
                return value
            self._known[key] = value
            self._journal.append(json_line({"key": key, "value": value}))
        return self._known[key]


def read(path: Path) -> tuple[dict[str, Any], list[StoredResponse]]:
    """Header and responses of a chunk's file.

    Raises ValueError (also from decoding) or TypeError if the file is damaged.
    """
    lines = path.read_bytes().decode("ascii").splitlines(keepends=True)
    if len(lines) < 2:
        raise ValueError("it is cut off")
    last = json.loads(lines[-1])
    if not isinstance(last, dict) or last.get("sha256") != _sha256("".join(lines[:-1])):
        raise ValueError("its checksum is wrong")
    return json.loads(lines[0]), [StoredResponse(**json.loads(line)) for line in lines[1:-1]]


def _header(path: Path) -> dict[str, Any]:
    with path.open(encoding="utf-8", errors="replace") as file:
        try:
            return dict(json.loads(file.readline()))
        except (ValueError, TypeError):
            return {}


def _survives_json(value: Any) -> bool:
    try:
        return bool(json.loads(json.dumps(value)) == value)
    except (TypeError, ValueError):
        return False


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8")).hexdigest()
