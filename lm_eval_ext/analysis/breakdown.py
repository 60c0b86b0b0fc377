"""Where a difference lies: the paired problems of a unit by a field of their documents."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from lm_eval_ext.analysis import stats
from lm_eval_ext.analysis.compare import paired_test
from lm_eval_ext.analysis.comparison import Comparison, UnitComparison
from lm_eval_ext.analysis.pairs import Pair, field, scores
from lm_eval_ext.analysis.samples import RunError

MIN_GROUP = 10
NOT_GIVEN = "not given"


@dataclass(frozen=True)
class Row:
    """The problems with one value of a field.

    Attributes:
        value: of the field; "other (k groups)" for groups too small to be shown.
        n: problems.
        score_a, score_b, difference: means, and a less b.
        pairing: the 2x2 table; None where scores are shares over repeats.
        p, p_corrected: of the paired test; Holm-corrected over all rows made together.
    """

    value: str
    n: int
    score_a: float
    score_b: float
    difference: float
    pairing: stats.Pairing | None
    p: float
    p_corrected: float

    def json(self) -> dict[str, Any]:
        return {**vars(self), "pairing": None if self.pairing is None else dict(vars(self.pairing))}


@dataclass(frozen=True)
class Breakdown:
    """A unit by one field.

    Attributes:
        unit, field: their names.
        rows: largest group first, the small ones together last.
        several: whether a problem can have several values, and then counts in several rows.
    """

    unit: str
    field: str
    rows: tuple[Row, ...]
    several: bool

    def json(self) -> dict[str, Any]:
        return {"unit": self.unit, "field": self.field, "rows": [row.json() for row in self.rows]}


def breakdowns(
    unit: UnitComparison, fields: Sequence[str], min_group: int = MIN_GROUP
) -> tuple[Breakdown, ...]:
    """A unit by several fields, those that none of its documents has left out.

    p-values are corrected over all rows of all of these fields together.
    """
    made = [breakdown(unit, name, min_group) for name in fields if has_field(unit, name)]
    rest = iter(stats.holm([row.p for one in made for row in one.rows]))
    return tuple(
        replace(one, rows=tuple(replace(row, p_corrected=next(rest)) for row in one.rows)) for one in made
    )


def broken_down(
    comparisons: Sequence[Comparison], fields: Sequence[str], min_group: int = MIN_GROUP
) -> tuple[tuple[tuple[Breakdown, ...], ...], ...]:
    """The breakdowns of each unit of each comparison. Raises RunError: a field that no document has."""
    require_fields(comparisons, fields)
    return tuple(tuple(breakdowns(u, fields, min_group) for u in one.units) for one in comparisons)


def require_fields(comparisons: Sequence[Comparison], fields: Sequence[str]) -> None:
    """Raises RunError: a field that no document has."""
    units = [unit for one in comparisons for unit in one.units]
    if missing := [name for name in fields if not any(has_field(unit, name) for unit in units)]:
        have = sorted({key for unit in units for pair in unit.pairs for key in pair.a.doc})
        raise RunError(f"no document has {' or '.join(missing)}; they have {', '.join(have)}")


def breakdown(unit: UnitComparison, name: str, min_group: int = MIN_GROUP) -> Breakdown:
    """A unit by one field of its documents.

    Args:
        name: of the field; a document whose value is a list counts once for each value in it.
        min_group: groups of fewer problems are folded into one row, "other (k groups)".

    Raises RunError: no document has the field.
    """
    if not has_field(unit, name):
        have = sorted({key for pair in unit.pairs for key in pair.a.doc})
        raise RunError(f"no document of {unit.unit} has a {name}; they have {', '.join(have)}")
    groups: dict[str, dict[int, Pair]] = {}
    for number, pair in enumerate(unit.pairs):
        for value in values(pair.a.doc, name):
            groups.setdefault(value, {})[number] = pair
    small = [value for value, members in groups.items() if len(members) < min_group]
    shown = sorted((v for v in groups if v not in small), key=lambda v: (-len(groups[v]), v))
    rows = [_row(value, list(groups[value].values())) for value in shown]
    if small:
        folded = {number: pair for value in small for number, pair in groups[value].items()}
        rows.append(_row(f"other ({len(small)} group{'s' * (len(small) > 1)})", list(folded.values())))
    correct = stats.holm([row.p for row in rows])
    rows = [replace(row, p_corrected=p) for row, p in zip(rows, correct, strict=True)]
    several = any(isinstance(field(pair.a.doc, name), list | tuple) for pair in unit.pairs)
    return Breakdown(unit.unit, name, tuple(rows), several)


def has_field(unit: UnitComparison, name: str) -> bool:
    """Whether some document of the unit has the field."""
    return any(field(pair.a.doc, name) is not None for pair in unit.pairs)


def values(doc: Mapping[str, Any], name: str) -> Iterator[str]:
    """What a document's field says, as texts: one, or those of a list; NOT_GIVEN where it says nothing."""
    value = field(doc, name)
    if isinstance(value, list | tuple):
        yield from dict.fromkeys(map(str, value)) if value else [NOT_GIVEN]
    else:
        yield NOT_GIVEN if value is None else str(value)


def _row(value: str, members: Sequence[Pair]) -> Row:
    a, b = scores(members)
    test = paired_test(a, b)
    mean_a, mean_b = sum(a) / len(a), sum(b) / len(b)
    return Row(value, len(members), mean_a, mean_b, mean_a - mean_b, test.pairing, test.p, test.p)
