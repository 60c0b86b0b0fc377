"""A task in two runs, problem by problem, as `compare` does it: counts, the test, settings that differ."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

from lm_eval_ext.analysis import lm_eval_files, protocols
from lm_eval_ext.analysis.compare import MCNEMAR, PairedTest, paired_test
from lm_eval_ext.analysis.protocols import SettingDifference
from lm_eval_ext.analysis.stats import Pairing
from lm_eval_ext.view import query
from lm_eval_ext.view.folder import MANIFEST

_KEPT: dict[tuple[object, ...], TaskPair] = {}


@dataclass(frozen=True)
class TaskPair:
    """A task in two runs.

    Attributes:
        files: ids of the two in the index.
        pairing: the 2x2 table; None for fractions over repeats.
        differences: of the settings that two runs should share.
    """

    name: str
    files: tuple[int, int]
    runs: tuple[str, str]
    n: int
    means: tuple[float, float]
    pairing: Pairing | None
    test: str
    p: float
    differences: tuple[SettingDifference, ...]

    @property
    def matrix(self) -> SimpleNamespace:
        """What the template of the 2x2 table takes."""
        a, b = (SimpleNamespace(run=run) for run in self.runs)
        return SimpleNamespace(unit=self.name, a=a, b=b, pairing=self.pairing, n=self.n, p=self.p)


def compared(db: sqlite3.Connection, a: sqlite3.Row, b: sqlite3.Row, version: int) -> TaskPair:
    """Two files of one task compared; kept until the index changes."""
    key = (a["path"], b["path"], version)
    if key not in _KEPT:
        if len(_KEPT) > 200:
            _KEPT.clear()
        _KEPT[key] = _compared(db, a, b)
    return _KEPT[key]


def _compared(db: sqlite3.Connection, a: sqlite3.Row, b: sqlite3.Row) -> TaskPair:
    found = query.crossed(db, a["id"], b["id"])
    pairing = Pairing(*(int(found[cell]) for cell in ("both", "only_a", "only_b", "neither")))
    test = PairedTest(pairing, MCNEMAR, pairing.p, None)
    if pairing.n < found["n"]:  # fractions over repeats
        test = paired_test(*query.scores(db, a["id"], b["id"]))
    files = [Path(file["results"]) for file in (a, b)]
    differences: tuple[SettingDifference, ...] = ()
    if not any(file.name == MANIFEST for file in files):  # else it is not recorded yet
        ours, theirs = (protocols.settings(lm_eval_files.read_results(file), a["task"]) for file in files)
        differences = tuple(protocols.differences(ours, theirs))
    runs, ids = (a["run"], b["run"]), (a["id"], b["id"])
    means = (found["first"], found["second"])
    return TaskPair(a["task"], ids, runs, found["n"], means, test.pairing, test.test, test.p, differences)
