"""The results of `compare` as text and files: one set of facts for the terminal, Markdown, CSV and JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from lm_eval_ext.analysis.breakdown import MIN_GROUP, Breakdown, breakdowns
from lm_eval_ext.analysis.compare import RunComparison, RunScore, TaskComparison, as_json
from lm_eval_ext.analysis.pairing import SamplePair, doc_field
from lm_eval_ext.analysis.tables import csv_text
from lm_eval_ext.atomic import write_text

CSV_FIELDS = (
    *("a", "b", "unit", "task", "doc_hash", "id", "right", "score_a", "score_b"),
    *("gold", "answer_a", "answer_b", "problem"),
)  # fmt: skip
BREAKDOWN_HEAD = ("n", "A", "B", "A minus B", "only A / B", "p", "Holm")
Fact = tuple[str, str]
"""A name and what it is."""


@dataclass(frozen=True)
class ComparisonResults:
    """Comparisons of every two runs."""

    comparisons: tuple[RunComparison, ...]
    fields: tuple[str, ...] = ()  # of the documents, to break the units down by
    min_group: int = MIN_GROUP  # smaller groups become one row
    noise: RunComparison | None = None  # the first run against another run of the same model
    cluster: str | None = None  # field whose problems are correlated

    @cached_property
    def breakdowns(self) -> list[list[tuple[Breakdown, ...]]]:
        """For each unit of each comparison, in the same order."""
        return [[breakdowns(u, self.fields, self.min_group) for u in made.units] for made in self.comparisons]

    @property
    def tests(self) -> int:
        """The number of tests that p-values were corrected for."""
        return sum(len(made.units) for made in self.comparisons)

    def facts(self, comparison: RunComparison, unit: TaskComparison) -> list[Fact]:
        """A unit's figures, one line each."""
        span = f"{points(unit.interval.low)} to {points(unit.interval.high)}"
        found = [
            ("A", _score(unit.a, unit)),
            ("B", _score(unit.b, unit)),
            ("A minus B", f"{points(unit.difference)} points ({span}: paired bootstrap, 95%)"),
            ("p", _p(unit, self.tests)),
            ("can find", _detectable(unit)),
        ]
        if unit.experiment:
            found.insert(0, ("experiment", "; ".join(map(str, unit.experiment))))
        if self.cluster:
            error = 1.96 * unit.clustered_error(self.cluster)
            ends = f"{points(unit.difference - error)} to {points(unit.difference + error)}"
            found.append(("clustered", f"{ends}: 95%, problems of one {self.cluster} are correlated"))
        if self.noise and self.noise.a in (comparison.a, comparison.b):
            for noise in self.noise.units:
                found += _noise(unit, noise) if noise.unit == unit.unit else []
        for name, side in (("A", unit.a), ("B", unit.b)):
            found += [("left out", f"{name}: {side.left_out}")] if side.left_out.total else []
        if unit.settings:
            found.append(("warning", f"the protocols differ: {'; '.join(map(str, unit.settings))}"))
        return found + [("remark", remark) for remark in unit.remarks]

    def json(self) -> dict[str, Any]:
        return {
            "comparisons": [made.json() for made in self.comparisons],
            "breakdowns": [
                [[{"unit": b.unit, "field": b.field, "rows": as_json(b.rows)} for b in of] for of in units]
                for units in self.breakdowns
            ],
            "noise": None if self.noise is None else self.noise.json(),
        }

    def markdown(self) -> str:
        """All but the problems themselves."""
        parts = []
        for made, of_units in zip(self.comparisons, self.breakdowns, strict=True):
            parts.append(f"# {made.a} (A) and {made.b} (B)")
            for unit, broken in zip(made.units, of_units, strict=True):
                parts.append(f"## {heading(unit)}")
                parts.append(markdown_table([["", ""], *map(list, self.facts(made, unit))]))
                parts += [markdown_table(table) for table in [transitions(unit)] if table]
                parts += [markdown_table([[b.field, *BREAKDOWN_HEAD], *breakdown_cells(b)]) for b in broken]
        return "\n\n".join(parts) + "\n"

    def write(self, folder: Path) -> list[Path]:
        """Writes `comparison.json`, `comparison.md` and `flips.csv`, each whole or not at all."""
        flips = (flip_row(p, unit) for made in self.comparisons for unit in made.units for p in unit.flips)
        texts = {
            "comparison.json": json.dumps(self.json(), indent=1, ensure_ascii=False) + "\n",
            "comparison.md": self.markdown(),
            "flips.csv": csv_text([CSV_FIELDS, *([flip[name] for name in CSV_FIELDS] for flip in flips)]),
        }
        for name, text in texts.items():
            write_text(folder / name, text)
        return [folder / name for name in texts]


def percent(share: float) -> str:
    """`0.6546` as `65.5%`."""
    return f"{100 * share:.1f}%"


def points(difference: float) -> str:
    """`-0.0768` as `-7.7`."""
    return f"{100 * difference:+.1f}"


def p_value(p: float) -> str:
    """`0.0019`, `< 0.0001`."""
    return "< 0.0001" if p < 0.00005 else f"{p:.4f}"


def heading(unit: TaskComparison) -> str:
    return f"{unit.unit}: {unit.metric} ({unit.filter}), {unit.n} paired problems"


def transitions(unit: TaskComparison) -> list[list[str]]:
    """The 2x2 table with its heads; empty where scores are fractions over repeats."""
    if (pairing := unit.pairing) is None:
        return []
    return [
        ["", "B right", "B not"],
        ["A right", str(pairing.both), str(pairing.only_a)],
        ["A not", str(pairing.only_b), str(pairing.neither)],
    ]


def breakdown_cells(found: Breakdown) -> list[list[str]]:
    """Rows of a breakdown: the value, then what BREAKDOWN_HEAD names."""
    return [
        [
            *(row.value, str(row.n), percent(row.score_a), percent(row.score_b), points(row.difference)),
            f"{row.pairing.only_a} / {row.pairing.only_b}" if row.pairing else "",
            *(p_value(row.p), p_value(row.p_corrected)),
        ]
        for row in found.rows
    ]


def flip_row(pair: SamplePair, unit: TaskComparison) -> dict[str, Any]:
    """A problem that flipped, under CSV_FIELDS."""
    doc, answers = pair.a.doc, [" | ".join(text or "" for text in s.answers) for s in (pair.a, pair.b)]
    return {
        "a": unit.a.run,
        "b": unit.b.run,
        "unit": unit.unit,
        "task": pair.a.task,
        "doc_hash": pair.a.doc_hash,
        "id": doc_field(doc, "id"),
        "right": "A" if pair.difference > 0 else "B",
        "score_a": pair.score_a,
        "score_b": pair.score_b,
        "gold": pair.a.gold,
        "answer_a": answers[0],
        "answer_b": answers[1],
        "problem": doc.get("problem") or doc.get("question") or pair.a.prompt,
    }


def markdown_table(rows: Sequence[Sequence[str]]) -> str:
    escaped = [[cell.replace("|", r"\|").replace("\n", " ") for cell in row] for row in rows]
    head, *body = ["| " + " | ".join(row) + " |" for row in escaped]
    return "\n".join([head, "|" + "---|" * len(rows[0]), *body])


def _score(side: RunScore, unit: TaskComparison) -> str:
    right = f"{round(side.score * unit.n)} right, " if unit.binary else ""
    kind = "Wilson" if unit.binary else "bootstrap"
    span = f"{100 * side.interval.low:.1f} to {100 * side.interval.high:.1f}"
    return f"{right}{percent(side.score)} ({span}: {kind}, 95%)  {side.run}"


def _p(unit: TaskComparison, tests: int) -> str:
    counts = f", {unit.pairing.only_a} only A, {unit.pairing.only_b} only B" if unit.pairing else ""
    why = "" if unit.binary else " (scores are averaged over repeats, not 0 or 1)"
    holm = f"; {p_value(unit.p_corrected)} corrected for {tests} tests (Holm)" if tests > 1 else ""
    return f"{p_value(unit.p)} ({unit.test}{counts}){why}{holm}"


def _detectable(unit: TaskComparison) -> str:
    spread = f"{percent(unit.flip_rate)} discordant"
    if not unit.flips:
        return "nothing to test: the two agree on every problem"
    if unit.detectable is None:
        return f"no difference: too few problems ({unit.n}) for {spread}"
    return f"{100 * unit.detectable:.1f} points, with 80% power at n={unit.n} and {spread}"


def _noise(unit: TaskComparison, noise: TaskComparison) -> list[Fact]:
    counts = f"{noise.pairing.only_a} / {noise.pairing.only_b}, " if noise.pairing else ""
    floor = (
        f"{percent(noise.flip_rate)} of {noise.n} problems flip between two runs of {noise.a.run} "
        f"({counts}p={p_value(noise.p)}; {percent(noise.changed_texts)} of the texts change); "
        f"{percent(unit.flip_rate)} between A and B"
    )
    within = unit.flip_rate <= noise.flip_rate
    return [("noise", floor)] + [("warning", "A and B differ on no more problems than that")] * within
