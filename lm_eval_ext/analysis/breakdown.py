"""The paired problems of a comparison by a field of their documents: level, subject, country."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from lm_eval_ext.analysis import stats
from lm_eval_ext.analysis.compare import RunComparison, TaskComparison, paired_test
from lm_eval_ext.analysis.lm_eval_files import RunError
from lm_eval_ext.analysis.pairing import SamplePair, doc_field, scores

MIN_GROUP = 10
NOT_GIVEN = "not given"


@dataclass(frozen=True)
class BreakdownRow:
    """The problems with one value of the field, or "other (k groups)" for groups too small to show."""

    value: str
    n: int
    score_a: float
    score_b: float
    difference: float  # a minus b
    pairing: stats.Pairing | None  # None where scores are fractions over repeats
    p: float
    p_corrected: float  # Holm-corrected over all rows made together


@dataclass(frozen=True)
class Breakdown:
    """A unit by one field: the largest group first, the small ones together last.

    `several`: a problem can have several values, and then counts in several rows.
    """

    unit: str
    field: str
    rows: tuple[BreakdownRow, ...]
    several: bool


def breakdowns(
    unit: TaskComparison, fields: Sequence[str], min_group: int = MIN_GROUP
) -> tuple[Breakdown, ...]:
    """A unit by those of several fields that its documents have.

    p-values are corrected over all rows of all fields together. A document whose field is a list counts once
    for each value in it. Groups smaller than `min_group` become one row.
    """
    made = [_breakdown(unit, name, min_group) for name in fields if has_field(unit, name)]
    rest = iter(stats.holm([row.p for one in made for row in one.rows]))
    return tuple(
        replace(one, rows=tuple(replace(row, p_corrected=next(rest)) for row in one.rows)) for one in made
    )


def require_fields(comparisons: Sequence[RunComparison], fields: Sequence[str]) -> None:
    """Raises RunError on a field that no document has."""
    units = [unit for one in comparisons for unit in one.units]
    if missing := [name for name in fields if not any(has_field(unit, name) for unit in units)]:
        have = sorted({key for unit in units for pair in unit.pairs for key in pair.a.doc})
        raise RunError(f"no document has {' or '.join(missing)}; they have {', '.join(have)}")


def has_field(unit: TaskComparison, name: str) -> bool:
    return any(doc_field(pair.a.doc, name) is not None for pair in unit.pairs)


def values(doc: Mapping[str, Any], name: str) -> Iterator[str]:
    """The values of a document's field as texts: one, or those of a list; NOT_GIVEN if it has none."""
    value = doc_field(doc, name)
    if isinstance(value, list | tuple):
        yield from dict.fromkeys(map(str, value)) if value else [NOT_GIVEN]
    else:
        yield NOT_GIVEN if value is None else str(value)


def _breakdown(unit: TaskComparison, name: str, min_group: int) -> Breakdown:
    groups: dict[str, dict[int, SamplePair]] = {}
    for number, pair in enumerate(unit.pairs):
        for value in values(pair.a.doc, name):
            groups.setdefault(value, {})[number] = pair
    small = [value for value, members in groups.items() if len(members) < min_group]
    shown = sorted((v for v in groups if v not in small), key=lambda v: (-len(groups[v]), v))
    rows = [_row(value, list(groups[value].values())) for value in shown]
    if small:
        folded = {number: pair for value in small for number, pair in groups[value].items()}
        rows.append(_row(f"other ({len(small)} group{'s' * (len(small) > 1)})", list(folded.values())))
    several = any(isinstance(doc_field(pair.a.doc, name), list | tuple) for pair in unit.pairs)
    return Breakdown(unit.unit, name, tuple(rows), several)


def _row(value: str, members: Sequence[SamplePair]) -> BreakdownRow:
    a, b = scores(members)
    test = paired_test(a, b)
    mean_a, mean_b = sum(a) / len(a), sum(b) / len(b)
    return BreakdownRow(value, len(members), mean_a, mean_b, mean_a - mean_b, test.pairing, test.p, test.p)
