"""The models of a plan: names, patterns of checkpoints, steps."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from glob import has_magic
from pathlib import Path

from lm_eval_ext import remote
from lm_eval_ext.analysis.lm_eval_files import series_of, short_name
from lm_eval_ext.batch.plan import ModelEntry
from lm_eval_ext.errors import UserError


@dataclass(frozen=True)
class Model:
    """One model; see `CellRecord` for the fields."""

    entry: ModelEntry
    path: str
    name: str

    @property
    def step(self) -> int | None:
        return series_of(self.name)[1]

    @property
    def series(self) -> str:
        return series_of(self.name)[0]


def models_of(entries: Iterable[ModelEntry]) -> list[Model]:
    """The models of a plan, checkpoints by step. Raises UserError: no match of a pattern, equal names."""
    found = [model for entry in entries for model in _expanded(entry)]
    paths: dict[str, str] = {}
    for model in found:
        if paths.setdefault(model.name, model.path) != model.path:
            raise UserError(
                f"two models are called {model.name}: {paths[model.name]}, {model.path}; give each a `name`"
            )
    if len(paths) < len(found):
        raise UserError(
            "the plan names a model twice with the same path; give each a `name`, or leave one out"
        )
    return found


def _expanded(entry: ModelEntry) -> list[Model]:
    if entry.path.startswith(("/", ".", "~")) and not local_folder(entry.path) and not has_magic(entry.path):
        raise UserError(f"models: {entry.path} is not there; name a folder, or a model of the Hub")
    if not has_magic(entry.path):
        return [Model(entry, entry.path, _safe(entry.name or short_name(entry.path)))]
    paths = sorted(remote.matches(entry.path))
    if not paths:
        raise UserError(f"models: nothing matches {entry.path}; name folders that are there")
    return sorted((at(entry, path) for path in paths), key=lambda model: (model.series, model.step or 0))


def at(entry: ModelEntry, path: str) -> Model:
    """The model at one path that the pattern of an entry matches."""
    parts, pattern = path.rstrip("/").split("/"), entry.path.rstrip("/").split("/")
    first = next(number for number, part in enumerate(pattern) if has_magic(part)) - len(pattern)
    varying = "-".join(parts[first:])
    if entry.name:
        return Model(entry, path, _safe(f"{entry.name}-{varying}"))
    return Model(entry, path, _safe(varying if first < -1 else short_name(path)))


def _safe(name: str) -> str:
    """As the name of a folder."""
    return re.sub(r"[^\w.+=-]+", "-", name).strip("-.") or "model"


def local_folder(path: str) -> Path | None:
    """The folder that a path names on this machine, absolute; None for names on the Hub and remote paths."""
    folder = Path(path).expanduser()
    return folder.resolve() if not remote.is_remote(path) and folder.is_dir() else None
