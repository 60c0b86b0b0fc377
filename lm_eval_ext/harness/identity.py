"""Which model it is: the SHA-256 of a local folder's weights, the commit of a model on the Hub."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from tqdm import tqdm

from lm_eval_ext import atomic

MODEL_FILES = frozenset(
    ".json .safetensors .bin .pt .pth .gguf .model .tiktoken .txt .jinja .py".split()
)  # configuration, tokenizer, template and weights
NOT_THE_MODEL = frozenset(
    "optimizer.pt scheduler.pt scaler.pt training_args.bin trainer_state.json all_results.json".split()
)  # a trainer leaves these beside it
PLACES = ("pretrained", "peft", "delta", "lora_local_path", "tokenizer", "gguf_file")
REVISION_OF = {"pretrained": "revision", "tokenizer": "tokenizer_revision"}
_BLOCK = 1 << 22
_WORTH_A_BAR = 1 << 31


def digest(value: Any) -> str:
    """SHA-256 of a value as canonical JSON; what JSON does not know goes by its `str`."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def cache_folder() -> Path:
    """`$LM_EVAL_EXT_CACHE`, else `lm-eval-ext` in the user's cache folder."""
    given = os.environ.get("LM_EVAL_EXT_CACHE")
    home = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
    return Path(given) if given else home / "lm-eval-ext"


def of_argument(name: str, model_args: Mapping[str, Any]) -> Any:
    """A model argument, with what it points to in place of the pointer.

    A local folder or file becomes "sha256:...", a name on the Hub "name@commit"; anything else stays.
    """
    value = model_args[name]
    if name not in PLACES or not isinstance(value, str):
        return value
    if Path(value).expanduser().exists():
        return f"sha256:{of_files(Path(value).expanduser())}"
    if name in REVISION_OF:
        return f"{value}@{commit(value, model_args.get(REVISION_OF[name]))}"
    return value


def of_model(model_args: Mapping[str, Any]) -> dict[str, str]:
    """Name and identity of the model under evaluation, and of its adapter where there is one."""
    names = [n for n in ("model", *PLACES[:4]) if n in model_args]
    return {n: str(model_args[n]) for n in names} | {
        f"{n}_identity": str(of_argument(n, model_args)) for n in names if n != "model"
    }


@lru_cache(maxsize=64)
def commit(repository: str, revision: str | None) -> str:
    """The commit that a revision of a model on the Hub is now; without a network, that of the copy here.

    The revision as it was given where neither can be known.
    """
    from huggingface_hub import HfApi, try_to_load_from_cache

    try:
        found = HfApi().model_info(repository, revision=revision, timeout=5).sha
    except Exception:  # whatever the network or the name does: the engine will say so, if it matters
        found = None
    if found:
        return str(found)
    try:
        here = try_to_load_from_cache(repository, "config.json", revision=revision or "main")
    except ValueError:  # not a name the Hub could have
        here = None
    return Path(here).parent.name if isinstance(here, str) else (revision or "main")


def of_files(path: Path) -> str:
    """SHA-256 over a model's folder (names and contents), or over one file.

    Hashes are remembered by path, size and time of change: only a changed file is read again.
    """
    files = [path] if path.is_file() else _model_files(path)
    known = _Remembered()
    size = sum(file.stat().st_size for file in files if known.get(file) is None)
    bar = tqdm(total=size, unit="B", unit_scale=True, desc="hashing weights", disable=size < _WORTH_A_BAR)
    with bar:
        hashes = {file.name: known.get(file) or known.add(file, _hash(file, bar)) for file in files}
    known.save()
    return next(iter(hashes.values())) if path.is_file() else digest(hashes)


def _model_files(folder: Path) -> list[Path]:
    found = (file for file in folder.iterdir() if file.is_file() and file.name not in NOT_THE_MODEL)
    return sorted(file for file in found if file.suffix in MODEL_FILES)


def _hash(file: Path, bar: Any) -> str:
    total = hashlib.sha256()
    with file.open("rb") as blocks:
        while block := blocks.read(_BLOCK):
            total.update(block)
            bar.update(len(block))
    return total.hexdigest()


class _Remembered:
    """Hashes of files that have not changed since, in the cache folder."""

    def __init__(self) -> None:
        self._path = cache_folder() / "hashes.json"
        self._changed = False
        try:
            self._hashes: dict[str, str] = json.loads(self._path.read_text("utf-8"))
        except (OSError, ValueError):  # not there yet, or not ours: everything is hashed again
            self._hashes = {}

    def get(self, file: Path) -> str | None:
        return self._hashes.get(self._key(file))

    def add(self, file: Path, found: str) -> str:
        self._hashes[self._key(file)] = found
        self._changed = True
        return found

    def save(self) -> None:
        """A cache that cannot be written costs time, nothing else."""
        if not self._changed:
            return
        try:
            atomic.write_text(self._path, json.dumps(self._hashes, indent=0))
        except OSError:
            return

    @staticmethod
    def _key(file: Path) -> str:
        status = os.stat(file)
        return f"{file.resolve()}:{status.st_size}:{status.st_mtime_ns}"
