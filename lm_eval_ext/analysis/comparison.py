"""What a comparison of two runs found: of the two, of each task or group, and of each run's part in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from lm_eval_ext.analysis import pairs, protocols, stats
from lm_eval_ext.analysis.pairs import LeftOut, Pair


@dataclass(frozen=True)
class Side:
    """One run's part in a comparison, over the paired problems.

    Attributes:
        run, model: its name in tables, and the model's as recorded.
        score: mean of the metric.
        interval: of the score alone: Wilson's, or bootstrapped where scores are shares over repeats.
        left_out: its samples that are in no pair.
    """

    run: str
    model: str
    score: float
    interval: stats.Interval
    left_out: LeftOut


@dataclass(frozen=True)
class UnitComparison:
    """A task or group in two runs. Differences are a less b.

    Attributes:
        unit: its name.
        metric, filter: what is compared, and whose rows.
        n: paired problems.
        binary: whether every score is 0 or 1; shares over repeats are not.
        pairing: the 2x2 table; None unless binary.
        difference, interval: of the means, with the paired bootstrap interval.
        test: `compare.MCNEMAR`, or `compare.SIGN_FLIP` where scores are shares.
        p, p_corrected: of that test; Holm-corrected over all tests made together.
        detectable: the smallest true difference that this test finds with 80% power at this n and this
            discordant share (or spread of the differences); None: none can be found.
        settings: of the protocol, in which the two differ; empty unless forced.
        remarks: what a reader should know: other engine versions, a protocol that is not recorded.
        pairs: the problems, in a's order.
    """

    unit: str
    metric: str
    filter: str
    a: Side
    b: Side
    n: int
    binary: bool
    pairing: stats.Pairing | None
    difference: float
    interval: stats.Interval
    test: str
    p: float
    p_corrected: float
    detectable: float | None
    settings: tuple[protocols.Difference, ...]
    remarks: tuple[str, ...]
    pairs: tuple[Pair, ...]

    @property
    def flips(self) -> tuple[Pair, ...]:
        """The problems that the two scored differently."""
        return tuple(pair for pair in self.pairs if pair.flipped)

    @property
    def flip_rate(self) -> float:
        """Share of the problems that the two scored differently."""
        return len(self.flips) / self.n if self.n else 0.0

    @property
    def changed_texts(self) -> float:
        """Share of the problems on which the two wrote something else."""
        return sum(not pair.same_text for pair in self.pairs) / self.n if self.n else 0.0

    def clustered_error(self, field: str) -> float:
        """Standard error of the difference where problems with the same value of a field hang together."""
        return stats.clustered_error(
            [pair.difference for pair in self.pairs], [str(pairs.field(p.a.doc, field)) for p in self.pairs]
        )

    def json(self) -> dict[str, Any]:
        """The figures as JSON has them; the problems that flipped by task, hash and scores."""
        return {
            **{name: getattr(self, name) for name in ("unit", "metric", "filter", "n", "difference")},
            "interval": _ends(self.interval),
            "a": _side_json(self.a),
            "b": _side_json(self.b),
            "pairing": None if self.pairing is None else dict(vars(self.pairing)),
            **{name: getattr(self, name) for name in ("test", "p", "p_corrected", "detectable", "flip_rate")},
            "settings": [dict(vars(found)) for found in self.settings],
            "remarks": list(self.remarks),
            "flips": [
                {"task": p.a.task, "doc_hash": p.a.doc_hash, "score_a": p.score_a, "score_b": p.score_b}
                for p in self.flips
            ],
        }


@dataclass(frozen=True)
class Comparison:
    """Two runs, unit by unit.

    Attributes:
        a, b: names of the runs.
        units: one for each task or group that both have.
    """

    a: str
    b: str
    units: tuple[UnitComparison, ...]

    def json(self) -> dict[str, Any]:
        return {"a": self.a, "b": self.b, "units": [unit.json() for unit in self.units]}


def _side_json(side: Side) -> dict[str, Any]:
    return {
        **{name: getattr(side, name) for name in ("run", "model", "score")},
        "interval": _ends(side.interval),
        "left_out": dict(vars(side.left_out)),
    }


def _ends(interval: stats.Interval) -> list[float]:
    return [interval.low, interval.high]
