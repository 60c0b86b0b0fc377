"""The store's files: one folder per settings, one file per chunk.

    DIR/store/lock
    DIR/store/<fingerprint>/settings.json
    DIR/store/<fingerprint>/asked.jsonl                         what only the engine knew: rendered chats, ...
    DIR/store/<fingerprint>/<task>.repeat0.chunk00003.<key>.jsonl

A chunk's file has a header, a row per response, and a last line with the SHA-256 of the lines before it:

    {"task": "arith_words", "repeat": 0, "index": 3, "key": "...", "responses": 16, "seconds": 4.1, ...}
    {"doc_id": 48, "prompt_sha256": "...", "response": " 4 + 3 = 7 ...", "tokens": 42, "finish": "stop"}
    {"sha256": "..."}

Files are written whole and never changed; a damaged one is named, set aside and generated again.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import socket
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TextIO

from lm_eval_ext import atomic
from lm_eval_ext.harness.errors import UserError
from lm_eval_ext.harness.identity import digest
from lm_eval_ext.harness.store.chunks import Chunk
from lm_eval_ext.harness.store.settings import Settings

Say = Callable[[str], None]


@dataclass(frozen=True)
class Row:
    """One response.

    Attributes:
        tokens: its length by the engine, else by the model's tokenizer; None where neither tells.
        finish: why it ended, where the engine tells: "stop", "length".
    """

    doc_id: int | None
    prompt_sha256: str
    response: str
    tokens: int | None = None
    finish: str | None = None


class StoreError(UserError):
    """The store cannot be used: which file, and what to do."""


class Store:
    """The chunks of one run, in a folder that no other run may write meanwhile. A context manager.

    Raises:
        StoreError: another process has the folder, or it cannot be written.
    """

    def __init__(self, directory: Path, settings: Settings, say: Say) -> None:
        self.root = directory / "store"
        self.folder = self.root / settings.fingerprint[:16]
        self.settings = settings
        self.say = say
        self._lock: TextIO | None = None

    def __enter__(self) -> Store:
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            self._lock = self._locked()
        except OSError as error:
            raise StoreError(f"{self.root} cannot be written ({error.strerror}): give another DIR") from None
        self._compare()
        self.folder.mkdir(exist_ok=True)
        for unfinished in self.folder.glob(".*"):  # what `atomic` names so until it is whole
            unfinished.unlink()
        atomic.write_text(
            self.folder / "settings.json", json.dumps(dict(self.settings.values), indent=2) + "\n"
        )
        self.asked = Asked(self.folder / "asked.jsonl")
        return self

    def __exit__(self, *_: object) -> None:
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def _locked(self) -> TextIO:
        """A record lock: the system frees it when the process ends, however that ends.

        Unlike flock's it is not inherited, so an engine process that outlives its parent does not hold it.
        """
        file = (self.root / "lock").open("a+", encoding="utf-8")
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.seek(0)
            holder = file.read().strip() or "another process"
            file.close()
            raise StoreError(
                f"{self.root.parent} is in use by {holder}: wait for it, or give another DIR"
            ) from None
        file.truncate(0)
        file.write(f"process {os.getpid()} on {socket.gethostname()}\n")
        file.flush()
        return file

    def _compare(self) -> None:
        """Says why nothing of earlier runs in this folder can be reused, where that is so."""
        if self.folder.is_dir():
            return
        others = [_read_json(path) for path in sorted(self.root.glob("*/settings.json"))]
        different = [self.settings.differences(values) for values in others if values]
        if different:
            nearest = min(different, key=len)
            self.say(f"{self.root.parent}: no response of an earlier run is reused: {'; '.join(nearest)}")

    def get(self, chunk: Chunk) -> list[Row] | None:
        """The rows of a chunk, None if it is not there; one that is damaged is named and set aside."""
        path = self._path(chunk)
        if not path.exists():
            return None
        try:
            header, rows = read(path)
            wrong = "of another chunk" if header["key"] != chunk.key else None
        except (OSError, ValueError, KeyError, TypeError) as error:
            wrong, rows = str(error), []
        if wrong is None and len(rows) == len(chunk.requests):
            return rows
        os.replace(path, path.with_suffix(".damaged"))
        self.say(f"{path} is damaged ({wrong or 'rows are missing'}): its chunk is generated again")
        return None

    def put(self, chunk: Chunk, rows: list[Row], about: Mapping[str, Any]) -> None:
        """Keeps a chunk; once this returns it is on disk."""
        header = {
            "task": chunk.task,
            "repeat": chunk.repeat,
            "index": chunk.index,
            "key": chunk.key,
            "responses": len(rows),
            "generation": chunk.generation,
            **about,
        }
        lines = [json.dumps(part) for part in (header, *map(asdict, rows))]  # ASCII: no other line ends
        body = "".join(line + "\n" for line in lines)
        atomic.write_text(self._path(chunk), body + json.dumps({"sha256": _sha256(body)}) + "\n")

    def why_not(self, chunk: Chunk) -> str | None:
        """What differs from the chunk that an earlier run left at this place; None if there is none."""
        headers = [_header(path) for path in sorted(self.folder.glob(f"{chunk.place}.*.jsonl"))]
        if not headers:
            return None
        kept, here = headers[-1].get("generation"), chunk.generation
        if kept == here or not kept:
            return "other prompts"
        names = sorted({*kept[0], *here[0]})
        return "; ".join(
            f"{name} is {here[0].get(name)} and was {kept[0].get(name)}"
            for name in names
            if kept[0].get(name) != here[0].get(name)
        )

    def headers(self) -> list[dict[str, Any]]:
        """The headers of all chunks kept under these settings."""
        return [_header(path) for path in sorted(self.folder.glob("*.chunk*.jsonl"))]

    def _path(self, chunk: Chunk) -> Path:
        return self.folder / f"{chunk.name}.jsonl"


class Asked:
    """Answers that only the engine could give, kept so that a run that reuses all needs no engine."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known: dict[str, Any] = {}
        text = path.read_text("utf-8") if path.exists() else ""
        for line in text.splitlines():
            with suppress(ValueError, KeyError, TypeError):  # a killed run may leave half a line
                row = json.loads(line)
                self._known[row["key"]] = row["value"]

    def __call__(self, question: Any, answer: Callable[[], Any]) -> Any:
        """The answer kept to a question; else that of `answer`, kept if JSON can hold it unchanged."""
        key = digest(question)
        if key not in self._known:
            value = answer()
            if not _survives(value):
                return value
            self._known[key] = value
            with self._path.open("a", encoding="utf-8") as file:
                file.write("\n" + json.dumps({"key": key, "value": value}) + "\n")
        return self._known[key]


def read(path: Path) -> tuple[dict[str, Any], list[Row]]:
    """Header and rows of a chunk's file.

    Raises ValueError (also of JSON, of the encoding) or TypeError where the file is not as it was written.
    """
    lines = path.read_bytes().decode("ascii").splitlines(keepends=True)
    if len(lines) < 2:
        raise ValueError("it is cut off")
    said = json.loads(lines[-1])
    if not isinstance(said, dict) or said.get("sha256") != _sha256("".join(lines[:-1])):
        raise ValueError("its checksum is another")
    return json.loads(lines[0]), [Row(**json.loads(line)) for line in lines[1:-1]]


def _header(path: Path) -> dict[str, Any]:
    with path.open(encoding="utf-8", errors="replace") as file:
        line = file.readline()
    try:
        return dict(json.loads(line))
    except (ValueError, TypeError):
        return {}


def _read_json(path: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(path.read_text("utf-8")))
    except (OSError, ValueError, TypeError):
        return {}


def _survives(value: Any) -> bool:
    try:
        return bool(json.loads(json.dumps(value)) == value)
    except (TypeError, ValueError):
        return False


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8")).hexdigest()
