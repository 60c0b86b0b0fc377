"""pass@k per problem, and what follows from it: a filter and a curriculum.

A row of a probe::

    {"id": "train-0007", "n": 8, "right": 3, "undecided": 0, "capped": 1, "tokens": 41.5,
     "pass@1": 0.375, "pass@2": 0.643, "pass@4": 0.929, "pass@8": 1.0}
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from lm_eval_ext.harness.errors import DataError
from lm_eval_ext.harness.metrics import attempts, pass_at_k

from .sampling import Row

FIELDS = {"id", "n", "right"}
KINDS = ("never", "undecided", "sometimes", "always")


def probe_row(row: Row) -> Row:
    """The probe's row for one of `sample`; undecided responses do not count as right."""
    responses = row["responses"]
    n, right = len(responses), sum(r["correct"] is True for r in responses)
    return {
        "id": row["id"],
        "n": n,
        "right": right,
        "undecided": sum(r["correct"] is None for r in responses),
        "capped": sum(r["capped"] for r in responses),
        "tokens": sum(r["tokens"] for r in responses) / n,
        **{f"pass@{k}": pass_at_k(n, right, k) for k in attempts(n)},
    }


def summary(rows: Sequence[Row]) -> dict[str, float]:
    """Mean pass@k, and how many problems are never, sometimes and always solved."""
    kinds = Counter(map(kind, rows))
    passes = [name for name in rows[0] if name.startswith("pass@")] if rows else []
    means = {name: sum(row[name] for row in rows) / len(rows) for name in passes}
    return {**means, **{name: kinds[name] for name in KINDS}}


def kind(row: Row) -> str:
    """One of KINDS; "undecided": no response was right, but not all were shown to be wrong."""
    if row["right"] == 0:
        return "undecided" if row.get("undecided") else "never"
    return "always" if row["right"] == row["n"] else "sometimes"


def informative(rows: Sequence[Row]) -> tuple[list[str], dict[str, int]]:
    """Ids of the problems solved sometimes, in their order, and how many others were left out and why.

    A group whose rollouts all have the same reward has no advantage, and so no gradient.
    """
    _check(rows)
    kinds = Counter(map(kind, rows))
    left_out = {name: kinds[name] for name in KINDS if name != "sometimes" and kinds[name]}
    return [row["id"] for row in rows if kind(row) == "sometimes"], left_out


def easiest_first(rows: Sequence[Row]) -> list[str]:
    """All ids, sorted by the share of right responses, the largest first; ties keep their order."""
    _check(rows)
    return [row["id"] for row in sorted(rows, key=lambda row: -row["right"] / row["n"])]


def _check(rows: Sequence[Row]) -> None:
    for number, row in enumerate(rows, 1):
        if missing := FIELDS - set(row):
            raise DataError(f"row {number} is not of a probe: it has no {' and no '.join(sorted(missing))}")
