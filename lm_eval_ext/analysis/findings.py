"""What comparing runs found, together, and in words: for a terminal, Markdown, CSV and JSON alike."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lm_eval_ext.analysis.breakdown import Breakdown
from lm_eval_ext.analysis.comparison import Comparison, Side, UnitComparison
from lm_eval_ext.analysis.pairs import Pair, field
from lm_eval_ext.analysis.samples import Sample, answers
from lm_eval_ext.analysis.spreadsheet import csv_text
from lm_eval_ext.atomic import write_text

CSV_FIELDS = (
    *("a", "b", "unit", "task", "doc_hash", "id", "right", "score_a", "score_b"),
    *("gold", "answer_a", "answer_b", "problem"),
)  # fmt: skip
Line = tuple[str, str]
"""A fact: its name, and what it is."""


@dataclass(frozen=True)
class Findings:
    """Comparisons, and what stands beside them.

    Attributes:
        comparisons: of every two runs.
        breakdowns: those of each unit of each comparison, in the same order.
        noise: the first run against another run of the same model, if there is one.
        cluster: field by which problems hang together, if one was named.
    """

    comparisons: tuple[Comparison, ...]
    breakdowns: tuple[tuple[tuple[Breakdown, ...], ...], ...]
    noise: Comparison | None = None
    cluster: str | None = None

    def noise_of(self, comparison: Comparison, unit: str) -> UnitComparison | None:
        """The noise floor that belongs beside a unit: of the first run, where it takes part."""
        if self.noise is None or self.noise.a not in (comparison.a, comparison.b):
            return None
        return next((found for found in self.noise.units if found.unit == unit), None)

    def json(self) -> dict[str, Any]:
        return {
            "comparisons": [made.json() for made in self.comparisons],
            "breakdowns": [[[b.json() for b in of] for of in units] for units in self.breakdowns],
            "noise": None if self.noise is None else self.noise.json(),
        }


def percent(share: float) -> str:
    """`0.6546` as `65.5%`."""
    return f"{100 * share:.1f}%"


def points(difference: float) -> str:
    """`-0.0768` as `-7.7`."""
    return f"{100 * difference:+.1f}"


def p_value(p: float) -> str:
    """`0.0019`, `< 0.0001`."""
    return "< 0.0001" if p < 0.00005 else f"{p:.4f}"


def facts(unit: UnitComparison, tests: int, noise: UnitComparison | None, cluster: str | None) -> list[Line]:
    """A unit's figures, one line each.

    Args:
        tests: how many tests its p-value was corrected for.
        noise, cluster: see `Findings`.
    """
    span = f"{points(unit.interval.low)} to {points(unit.interval.high)}"
    found = [
        ("A", _score(unit.a, unit)),
        ("B", _score(unit.b, unit)),
        ("A less B", f"{points(unit.difference)} points ({span}: paired bootstrap, 95%)"),
        ("p", _p(unit, tests)),
        ("can find", _detectable(unit)),
    ]
    if cluster:
        error = 1.96 * unit.clustered_error(cluster)
        ends = f"{points(unit.difference - error)} to {points(unit.difference + error)}"
        found.append(("clustered", f"{ends}: 95%, problems of one {cluster} hang together"))
    if noise is not None:
        found += _noise(unit, noise)
    found += [("left out", f"{name}: {side.left_out}") for name, side in _sides(unit) if side.left_out.total]
    found += [("warning", f"the protocols differ: {'; '.join(map(str, unit.settings))}")] * bool(
        unit.settings
    )
    return found + [("remark", remark) for remark in unit.remarks]


def breakdown_rows(found: Breakdown) -> list[list[str]]:
    """Cells of a breakdown: value, n, A, B, A less B, only A / only B, p, corrected p."""
    return [
        [
            row.value,
            str(row.n),
            percent(row.score_a),
            percent(row.score_b),
            points(row.difference),
            f"{row.pairing.only_a} / {row.pairing.only_b}" if row.pairing else "",
            p_value(row.p),
            p_value(row.p_corrected),
        ]
        for row in found.rows
    ]


BREAKDOWN_HEAD = ("n", "A", "B", "A less B", "only A / B", "p", "Holm")


def transitions(unit: UnitComparison) -> list[list[str]]:
    """The 2x2 table with its heads; empty where scores are shares over repeats."""
    if (pairing := unit.pairing) is None:
        return []
    return [
        ["", "B right", "B not"],
        ["A right", str(pairing.both), str(pairing.only_a)],
        ["A not", str(pairing.only_b), str(pairing.neither)],
    ]


def flip_row(pair: Pair, unit: UnitComparison) -> dict[str, Any]:
    """A problem that flipped, under CSV_FIELDS."""
    return {
        "a": unit.a.run,
        "b": unit.b.run,
        "unit": unit.unit,
        "task": pair.a.task,
        "doc_hash": pair.a.doc_hash,
        "id": field(pair.a.doc, "id"),
        "right": "A" if pair.difference > 0 else "B",
        "score_a": pair.score_a,
        "score_b": pair.score_b,
        "gold": pair.a.gold,
        "answer_a": _answer(pair.a),
        "answer_b": _answer(pair.b),
        "problem": pair.a.doc.get("problem") or pair.a.doc.get("question") or pair.a.prompt,
    }


def write(findings: Findings, folder: Path) -> list[Path]:
    """`comparison.json`, `comparison.md` and `flips.csv` in a folder; each is there whole or not at all."""
    texts = {
        "comparison.json": json.dumps(findings.json(), indent=1, ensure_ascii=False) + "\n",
        "comparison.md": markdown(findings),
        "flips.csv": _csv(findings),
    }
    for name, text in texts.items():
        write_text(folder / name, text)
    return [folder / name for name in texts]


def markdown(findings: Findings) -> str:
    """All of it but the problems themselves."""
    parts, tests = [], number_of_tests(findings.comparisons)
    for made, of_units in zip(findings.comparisons, findings.breakdowns, strict=True):
        parts.append(f"# {made.a} (A) and {made.b} (B)")
        for unit, broken in zip(made.units, of_units, strict=True):
            parts.append(f"## {heading(unit)}")
            lines = facts(unit, tests, findings.noise_of(made, unit.unit), findings.cluster)
            parts.append(markdown_table([["", ""], *map(list, lines)]))
            if table := transitions(unit):
                parts.append(markdown_table(table))
            parts += [markdown_table([[b.field, *BREAKDOWN_HEAD], *breakdown_rows(b)]) for b in broken]
    return "\n\n".join(parts) + "\n"


def heading(unit: UnitComparison) -> str:
    return f"{unit.unit}: {unit.metric} ({unit.filter}), {unit.n} paired problems"


def number_of_tests(comparisons: Sequence[Comparison]) -> int:
    return sum(len(made.units) for made in comparisons)


def _sides(unit: UnitComparison) -> tuple[tuple[str, Side], ...]:
    return (("A", unit.a), ("B", unit.b))


def _score(side: Side, unit: UnitComparison) -> str:
    right = f"{round(side.score * unit.n)} right, " if unit.binary else ""
    kind = "Wilson" if unit.binary else "bootstrap"
    span = f"{100 * side.interval.low:.1f} to {100 * side.interval.high:.1f}"
    return f"{right}{percent(side.score)} ({span}: {kind}, 95%)  {side.run}"


def _p(unit: UnitComparison, tests: int) -> str:
    counts = f", {unit.pairing.only_a} only A, {unit.pairing.only_b} only B" if unit.pairing else ""
    why = "" if unit.binary else " (scores are shares over repeats, not 0 or 1)"
    holm = f"; {p_value(unit.p_corrected)} corrected for {tests} tests (Holm)" if tests > 1 else ""
    return f"{p_value(unit.p)} ({unit.test}{counts}){why}{holm}"


def _detectable(unit: UnitComparison) -> str:
    spread = f"{percent(unit.flip_rate)} discordant"
    if not unit.flips:
        return "nothing to test: the two agree on every problem"
    if unit.detectable is None:
        return f"no difference: too few problems ({unit.n}) for {spread}"
    return f"{100 * unit.detectable:.1f} points, with 80% power at n={unit.n} and {spread}"


def _noise(unit: UnitComparison, noise: UnitComparison) -> list[Line]:
    counts = f"{noise.pairing.only_a} / {noise.pairing.only_b}, " if noise.pairing else ""
    within = unit.flip_rate <= noise.flip_rate
    floor = (
        f"{percent(noise.flip_rate)} of {noise.n} problems flip between two runs of {noise.a.run} "
        f"({counts}p={p_value(noise.p)}; {percent(noise.changed_texts)} of the texts change); "
        f"{percent(unit.flip_rate)} between A and B"
    )
    return [("noise", floor)] + [("warning", "A and B differ on no more problems than that")] * within


def _answer(sample: Sample) -> str:
    return " | ".join("" if answer is None else answer for answer in answers(sample))


def _csv(findings: Findings) -> str:
    units = [unit for made in findings.comparisons for unit in made.units]
    flips = (flip_row(pair, unit) for unit in units for pair in unit.flips)
    return csv_text([CSV_FIELDS, *([flip[name] for name in CSV_FIELDS] for flip in flips)])


def markdown_table(rows: Sequence[Sequence[str]]) -> str:
    escaped = [[cell.replace("|", r"\|").replace("\n", " ") for cell in row] for row in rows]
    head, *body = ["| " + " | ".join(row) + " |" for row in escaped]
    return "\n".join([head, "|" + "---|" * len(rows[0]), *body])
