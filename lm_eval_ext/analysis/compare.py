"""Two runs on the same problems: is one better, by how much, and would this many problems show it?

Everything is paired: each problem is its own control, which finds differences that two separate
intervals hide (arXiv 2411.00640). Runs under unequal protocols are compared only if forced.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, is_dataclass, replace
from itertools import combinations
from typing import Any

import numpy as np
from tqdm import tqdm

from lm_eval_ext.analysis import experiments, pairing, protocols, stats
from lm_eval_ext.analysis.experiments import Differences
from lm_eval_ext.analysis.lm_eval_files import RunError
from lm_eval_ext.analysis.pairing import DOC_HASH, SamplePair, Unpaired
from lm_eval_ext.analysis.runs import METRICS, Run, TaskRun

MCNEMAR = "exact McNemar"
SIGN_FLIP = "sign-flip permutation"
NOT_RECORDED = "the protocol of {} is not recorded: whether the two runs share one cannot be checked"


@dataclass(frozen=True)
class RunScore:
    """One run's score over the paired problems."""

    run: str
    model: str
    score: float
    interval: stats.Interval  # Wilson's, or bootstrapped for fractions
    left_out: Unpaired


@dataclass(frozen=True)
class TaskComparison:
    """A task or group in two runs. Differences are a minus b."""

    unit: str  # the task or group
    metric: str
    filter: str
    n: int  # paired problems
    difference: float
    interval: stats.Interval  # paired bootstrap
    a: RunScore
    b: RunScore
    pairing: stats.Pairing | None  # the 2x2 table; None where scores are fractions over repeats
    test: str  # MCNEMAR, or SIGN_FLIP for fractions
    p: float
    p_corrected: float  # Holm, over all tests made together
    detectable: float | None  # the smallest true difference found with 80% power; None: there is none
    experiment: Differences  # settings that differ and are named as what is compared
    settings: Differences  # others that differ; empty unless forced
    remarks: tuple[str, ...]  # engine versions, a missing protocol
    pairs: tuple[SamplePair, ...]  # in a's order

    @property
    def binary(self) -> bool:
        """Whether every score is 0 or 1."""
        return self.pairing is not None

    @property
    def flips(self) -> tuple[SamplePair, ...]:
        """The problems that the two scored differently."""
        return tuple(pair for pair in self.pairs if pair.flipped)

    @property
    def flip_rate(self) -> float:
        return len(self.flips) / self.n if self.n else 0.0

    @property
    def changed_texts(self) -> float:
        """Share of the problems with different responses."""
        return sum(not pair.same_text for pair in self.pairs) / self.n if self.n else 0.0

    def clustered_error(self, field: str) -> float:
        """Standard error of the difference if problems with the same value of a field are correlated."""
        values = [str(pairing.doc_field(pair.a.doc, field)) for pair in self.pairs]
        return stats.clustered_error([pair.difference for pair in self.pairs], values)

    def json(self) -> dict[str, Any]:
        """The figures as JSON has them; the problems that flipped by task, hash and scores."""
        figures = {name: as_json(value) for name, value in vars(self).items() if name != "pairs"}
        flips = [
            {"task": p.a.task, "doc_hash": p.a.doc_hash, "score_a": p.score_a, "score_b": p.score_b}
            for p in self.flips
        ]
        return {**figures, "flip_rate": self.flip_rate, "flips": flips}


@dataclass(frozen=True)
class RunComparison:
    """Two runs by name, compared on each task or group that both have."""

    a: str
    b: str
    units: tuple[TaskComparison, ...]

    def json(self) -> dict[str, Any]:
        return {"a": self.a, "b": self.b, "units": [unit.json() for unit in self.units]}


def compare(
    a: Run,
    b: Run,
    *,
    metric: str | None = None,
    pair_on: str = DOC_HASH,
    force: bool = False,
    across: Sequence[str] = (),
) -> RunComparison:
    """Compares two runs on every task or group that both have; p-values are Holm-corrected over these.

    Args:
        metric: None: the first of `runs.METRICS` that both have.
        pair_on: see `pairing.match`.
        force: compare under unequal protocols too; the result names the settings that differ.
        across: settings whose difference is the experiment; all others, and the model, must be equal.

    Raises:
        RunError: nothing in common, no such metric, nothing to pair.
        ProtocolError: the settings that differ, with both values.
    """
    units = pairing.common_units(a, b)
    if not units:
        raise RunError(
            f"{a.name} and {b.name} have no task in common: {', '.join(a.units())} in {a.place}, "
            f"{', '.join(b.units())} in {b.place}"
        )
    found = {unit: experiments.split(a, b, unit, across) for unit in units}
    if not force:
        experiments.require_none(a, b, {unit: others for unit, (_, others) in found.items()})
    shown = tqdm(units, f"comparing {a.name} and {b.name}", unit="task", delay=5)
    compared = tuple(_compare_unit(a, b, unit, metric, pair_on, *found[unit]) for unit in shown)
    return corrected([RunComparison(a.name, b.name, compared)])[0]


def compare_all(
    runs: Sequence[Run],
    *,
    metric: str | None = None,
    pair_on: str = DOC_HASH,
    force: bool = False,
    across: Sequence[str] = (),
) -> tuple[RunComparison, ...]:
    """`compare` for every two of several runs; p-values are corrected over all of their tests together.

    Raises RunError also if no two runs differ in a setting of `across`.
    """
    pairs = list(combinations(runs, 2))
    experiments.require_differences(pairs, across)
    return corrected(
        [compare(a, b, metric=metric, pair_on=pair_on, force=force, across=across) for a, b in pairs]
    )


def noise_floor(
    a: Run, again: Run, *, metric: str | None = None, pair_on: str = DOC_HASH, force: bool = False
) -> RunComparison:
    """Two runs of one model in different batch shapes: how many problems flip by arithmetic noise alone.

    Greedy bfloat16 outputs change with the requests that are computed together, so the settings may differ.
    Raises RunError if the models differ, unless forced.
    """
    if a.model != again.model and not force:
        raise RunError(
            f"the noise floor takes two runs of one model: {a.place} is of {a.model}, {again.place} of "
            f"{again.model}; if they are the same under two names: --force"
        )
    return compare(a, again, metric=metric, pair_on=pair_on, force=True)


def corrected(comparisons: Sequence[RunComparison]) -> tuple[RunComparison, ...]:
    """The same comparisons, their p-values Holm-corrected over all of them together."""
    rest = iter(stats.holm([unit.p for comparison in comparisons for unit in comparison.units]))
    return tuple(
        replace(made, units=tuple(replace(unit, p_corrected=next(rest)) for unit in made.units))
        for made in comparisons
    )


@dataclass(frozen=True)
class PairedTest:
    """The test on paired scores, see `TaskComparison`."""

    pairing: stats.Pairing | None
    test: str
    p: float
    detectable: float | None


def paired_test(a: Sequence[float], b: Sequence[float]) -> PairedTest:
    """McNemar's exact test on scores of 0 and 1, a sign-flip permutation test on fractions."""
    if all(score in (0, 1) for score in (*a, *b)):
        table = stats.Pairing.of([score == 1 for score in a], [score == 1 for score in b])
        share = table.discordant / table.n if table.n else 0.0
        return PairedTest(table, MCNEMAR, table.p, stats.minimum_detectable_effect(table.n, share))
    differences = [float(d) for d in np.subtract(a, b)]
    effect = stats.detectable_mean(len(differences), float(np.std(differences)))
    return PairedTest(None, SIGN_FLIP, stats.sign_flip(differences), effect)


def common_metric(a: TaskRun, b: TaskRun, wanted: str | None = None) -> str:
    """The metric asked for, else the first that both have, `runs.METRICS` before others.

    Raises RunError if there is none.
    """
    if wanted:
        return a.metric(wanted) and b.metric(wanted)
    found = next((name for name in (*METRICS, *a.metrics) if name in a.metrics and name in b.metrics), None)
    if found is None:
        raise RunError(
            f"{a.name}: the two runs share no metric: {', '.join(a.metrics) or 'none'} in {a.results_file}, "
            f"{', '.join(b.metrics) or 'none'} in {b.results_file}"
        )
    return found


def as_json(value: object) -> Any:
    """Dataclasses as JSON has them; an interval as its two ends."""
    if isinstance(value, stats.Interval):
        return [value.low, value.high]
    if is_dataclass(value):
        return {name: as_json(inner) for name, inner in vars(value).items()}
    return [as_json(inner) for inner in value] if isinstance(value, tuple) else value


def _compare_unit(
    a: Run,
    b: Run,
    unit: str,
    metric: str | None,
    pair_on: str,
    experiment: Differences,
    others: Differences,
) -> TaskComparison:
    task_a, task_b = a.unit(unit), b.unit(unit)
    metric = common_metric(task_a, task_b, metric)
    pairs, left_a, left_b = pairing.match(task_a, task_b, metric, pair_on)
    if not pairs:
        raise RunError(
            f"{unit}: no problem of {a.name} is one of {b.name} by {pair_on} (left out: {left_a}; {left_b}); "
            "runs of the same problems under other hashes pair on a field: --pair-on id"
        )
    scores_a, scores_b = pairing.scores(pairs)
    test = paired_test(scores_a, scores_b)
    return TaskComparison(
        unit=unit,
        metric=metric,
        filter=task_a.filter,
        n=len(pairs),
        difference=float(np.mean(scores_a) - np.mean(scores_b)),
        interval=stats.bootstrap_mean([pair.difference for pair in pairs]),
        a=RunScore(a.name, a.model, float(np.mean(scores_a)), stats.mean_interval(scores_a), left_a),
        b=RunScore(b.name, b.model, float(np.mean(scores_b)), stats.mean_interval(scores_b), left_b),
        p_corrected=test.p,
        experiment=experiment,
        settings=others,
        remarks=_remarks(a, b, unit),
        pairs=tuple(pairs),
        **vars(test),
    )


def _remarks(a: Run, b: Run, unit: str) -> tuple[str, ...]:
    tasks = a.groups.get(unit, (unit,))
    blank = [run.name for run in (a, b) if not all(run.tasks[task].protocol for task in tasks)]
    said = [NOT_RECORDED.format(" and of ".join(blank))] if blank else []
    for task in tasks:
        ours, theirs = a.tasks[task].versions, b.tasks[task].versions
        both = ours.keys() & theirs.keys()
        known: list[Mapping[str, str]] = [{k: v for k, v in of.items() if k in both} for of in (ours, theirs)]
        said += [f"versions differ: {found}" for found in protocols.differences(*known)]
    return tuple(dict.fromkeys(said))
