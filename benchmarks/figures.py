"""From verdicts and times to figures."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import Any

from benchmarks.child import Result
from benchmarks.data import Row

Figures = dict[str, Any]
"""The figures of one grader on one data set; a key is missing where it does not apply."""


def figures(rows: Sequence[Row], result: Result, peak_mb: float) -> Figures:
    """Quality and cost of one run over all rows; `peak_mb` in MiB."""
    cost = {
        "items_per_s": len(rows) / result.wall_s,
        "start_s": result.start_s,
        "items_per_s_with_start": len(rows) / (result.start_s + result.wall_s),
        "peak_mb": peak_mb,
    }
    return {**quality([row.right for row in rows], result.verdicts), **cost}


def quality(rights: Sequence[bool], verdicts: Sequence[bool | None]) -> Figures:
    """How verdicts agree with the truth; an undecided one accepts nothing.

    Precision is None where nothing is accepted, recall where nothing is right. The interval of accuracy is
    Wilson's, 95 %.
    """
    pairs = list(zip(rights, verdicts, strict=True))
    n, right, accepted = len(pairs), sum(rights), sum(v is True for v in verdicts)
    both = sum(r and v is True for r, v in pairs)
    agreeing = sum(r == (v is True) for r, v in pairs)
    return {
        "n": n,
        "accepted": accepted,
        "wrongly_accepted": accepted - both,
        "recall": both / right if right else None,
        "precision": both / accepted if accepted else None,
        "accuracy": agreeing / n,
        "accuracy_interval": wilson(agreeing, n),
        "undecided": sum(v is None for v in verdicts) / n,
    }


def wilson(hits: int, n: int, z: float = 1.96) -> tuple[float, float]:
    """Wilson's score interval of a share (E. B. Wilson, 1927)."""
    share, width = hits / n, z * z / n
    centre, spread = share + width / 2, z * math.sqrt(share * (1 - share) / n + width / (4 * n))
    return (centre - spread) / (1 + width), (centre + spread) / (1 + width)


def latency(latencies_ms: Sequence[float]) -> Figures:
    """Nearest-rank percentiles and maximum, in ms."""
    ranked = sorted(latencies_ms)
    p50, p99 = (ranked[math.ceil(share * len(ranked)) - 1] for share in (0.5, 0.99))
    return {"latency_n": len(ranked), "p50_ms": p50, "p99_ms": p99, "max_ms": ranked[-1]}


def layer_shares(result: Result) -> dict[str, dict[str, float]]:
    """For each layer the share of all verdicts that it gave: equal, different, undecided."""
    names = {True: "equal", False: "different", None: "undecided"}
    counts = Counter(
        (layer, names[verdict])
        for (layer, _, _), verdict in zip(result.details, result.verdicts, strict=True)
    )
    shares: dict[str, dict[str, float]] = {}
    for (layer, outcome), count in counts.most_common():
        shares.setdefault(layer, {})[outcome] = count / len(result.verdicts)
    return shares


def distinct_pairs(rows: Sequence[Row], result: Result) -> int:
    """How many distinct pairs of extracted answer and gold there are, of those with an answer."""
    answers = (answer for _, answer, _ in result.details)
    return len({(a, row.gold) for a, row in zip(answers, rows, strict=True) if a is not None})


def disagreements_with(rows: Sequence[Row], result: Result) -> list[Figures]:
    """Every row on which this grader and the data differ; an undecided one differs from a right one."""
    found = []
    for row, verdict, (layer, answer, reason) in zip(rows, result.verdicts, result.details, strict=True):
        if row.right != (verdict is True):
            found.append(
                {
                    "key": row.key,
                    "gold": row.gold,
                    "answer": answer,
                    "right": row.right,
                    "verdict": verdict,
                    "layer": layer,
                    "reason": reason,
                }
            )
    return found
