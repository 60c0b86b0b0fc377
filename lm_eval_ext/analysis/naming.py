"""Runs by the places and names that a user gives: `out/base`, `base=out/base`."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from lm_eval_ext.analysis.runs import Run, load_all


def labelled(place: Path | str) -> tuple[str | None, Path]:
    """The name and the path of `name=path`, or None and the path."""
    given, equals, path = str(place).partition("=")
    return (given, Path(path)) if equals and not Path(place).exists() else (None, Path(place))


def named(places: Sequence[Path | str], *, filter: str | None = None) -> list[Run]:
    """The runs of several places under different names; a place may be given as `name=path`."""
    return distinct([r for name, at in map(labelled, places) for r in load_all(at, filter=filter, name=name)])


def distinct(runs: Sequence[Run]) -> list[Run]:
    """The runs under different names: their own, else with a folder by which they differ, else numbered."""
    paths = [run.place.absolute() for run in runs]
    common = os.path.commonpath(paths) if paths else ""
    folders = ["".join(path.relative_to(common).parts[:1]) for path in paths]
    for label in ("{0.name}", "{0.name} ({0.place.name})", "{0.name} ({2})", "{0.name} #{1}"):
        names = [
            label.format(run, n, folder) for n, (run, folder) in enumerate(zip(runs, folders, strict=True), 1)
        ]
        if len(set(names)) == len(names):
            break
    return [replace(run, name=name) for run, name in zip(runs, names, strict=True)]
