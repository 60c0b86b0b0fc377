"""SHA-256 of a model's files, remembered so that only changed files are read again."""

from __future__ import annotations

import hashlib
import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from tqdm import tqdm

from lm_eval_ext import remote
from lm_eval_ext.resume import read_json, write_json

MODEL_FILES = frozenset(
    ".json .safetensors .bin .pt .pth .gguf .model .tiktoken .txt .jinja .py".split()
)  # configuration, tokenizer, template and weights
NOT_THE_MODEL = frozenset(
    "optimizer.pt scheduler.pt scaler.pt training_args.bin trainer_state.json all_results.json".split()
)  # a trainer leaves these beside it
_BLOCK = 1 << 22
_WORTH_A_BAR = 1 << 31


def digest(value: Any) -> str:
    """SHA-256 of a value as canonical JSON; other types count as their `str`."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def cache_folder() -> Path:
    """`$LM_EVAL_EXT_CACHE`, else `lm-eval-ext` in the user's cache folder."""
    given = os.environ.get("LM_EVAL_EXT_CACHE")
    home = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
    return Path(given) if given else home / "lm-eval-ext"


def here(path: str) -> Path:
    """A local path with the content of a local or remote path (`s3://`, `hf://`, ...); copies are kept."""
    return remote.local_copy(path, cache_folder() / "remote")


def hash_files(path: Path) -> str:
    """SHA-256 of one file, or over the names and contents of a model's folder."""
    files = [path] if path.is_file() else _model_files(path)
    remembered = cache_folder() / "hashes.json"
    known: dict[str, str] = read_json(remembered) or {}
    keys = {file: _key(file) for file in files}
    new = [file for file in files if keys[file] not in known]
    size = sum(file.stat().st_size for file in new)
    with tqdm(
        total=size, unit="B", unit_scale=True, desc="hashing weights", disable=size < _WORTH_A_BAR
    ) as bar:
        known |= {keys[file]: _hash(file, bar) for file in new}
    if new:
        with suppress(OSError):  # a cache that cannot be written only costs time
            write_json(remembered, known)
    return known[keys[path]] if path.is_file() else digest({file.name: known[keys[file]] for file in files})


def stamp(folder: Path) -> str:
    """Differs if a model's folder has other files, by name, size and date: nothing is read."""
    return digest([_key(file) for file in _model_files(folder)])


def _model_files(folder: Path) -> list[Path]:
    found = (file for file in folder.iterdir() if file.is_file() and file.name not in NOT_THE_MODEL)
    return sorted(file for file in found if file.suffix in MODEL_FILES)


def _key(file: Path) -> str:
    status = file.stat()
    return f"{file.resolve()}:{status.st_size}:{status.st_mtime_ns}"


def _hash(file: Path, bar: tqdm[Any]) -> str:
    total = hashlib.sha256()
    with file.open("rb") as blocks:
        while block := blocks.read(_BLOCK):
            total.update(block)
            bar.update(len(block))
    return total.hexdigest()
