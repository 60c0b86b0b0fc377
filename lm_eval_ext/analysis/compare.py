"""Two runs on the same problems: is one better, by how much, and would this many problems show it?

Everything is paired: each problem is its own control, which finds differences that two separate
intervals hide (arXiv 2411.00640). Runs under unequal protocols are not compared unless forced.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np

from lm_eval_ext.analysis import pairs, protocols, stats
from lm_eval_ext.analysis.comparison import Comparison, Side, UnitComparison
from lm_eval_ext.analysis.pairs import DOC_HASH, LeftOut
from lm_eval_ext.analysis.runs import METRICS, Run, TaskRun
from lm_eval_ext.analysis.samples import RunError
from lm_eval_ext.harness.errors import ProtocolError

MCNEMAR = "exact McNemar"
SIGN_FLIP = "sign-flip permutation"
NOT_RECORDED = "the protocol of {} is not recorded: whether the two runs share one cannot be checked"


def compare(
    a: Run, b: Run, *, metric: str | None = None, pair_on: str = DOC_HASH, force: bool = False
) -> Comparison:
    """Compares two runs on every task or group that both have; p-values are Holm-corrected over these.

    Args:
        metric: None: the first of `runs.METRICS` that both have.
        pair_on: see `pairs.match`.
        force: go on under unequal protocols; the settings that differ are kept with the result.

    Raises:
        RunError: nothing in common, no such metric, nothing to pair.
        ProtocolError: the settings that differ, with both values.
    """
    units = pairs.common_units(a, b)
    if not units:
        raise RunError(
            f"{a.name} and {b.name} have no task in common: {', '.join(a.units())} in {a.place}, "
            f"{', '.join(b.units())} in {b.place}"
        )
    unequal = {unit: unequal_settings(a, b, unit) for unit in units}
    if any(unequal.values()) and not force:
        raise ProtocolError(_refusal(a, b, {unit: found for unit, found in unequal.items() if found}))
    made = Comparison(
        a.name, b.name, tuple(_unit(a, b, unit, metric, pair_on, unequal[unit]) for unit in units)
    )
    return corrected([made])[0]


def compare_all(
    runs: Sequence[Run], *, metric: str | None = None, pair_on: str = DOC_HASH, force: bool = False
) -> tuple[Comparison, ...]:
    """`compare` for every two of several runs; p-values are corrected over all of their tests together."""
    return corrected(
        [compare(a, b, metric=metric, pair_on=pair_on, force=force) for a, b in combinations(runs, 2)]
    )


def noise_floor(
    a: Run, again: Run, *, metric: str | None = None, pair_on: str = DOC_HASH, force: bool = False
) -> Comparison:
    """Two runs of one model in other batch shapes: how many problems flip by arithmetic noise alone.

    Greedy bfloat16 outputs change with the requests that are computed together, so the settings may differ.
    Raises RunError: the two are runs of two models, unless forced.
    """
    if a.model != again.model and not force:
        raise RunError(
            f"the noise floor takes two runs of one model: {a.place} is of {a.model}, {again.place} of "
            f"{again.model}; if they are the same under two names: --force"
        )
    return compare(a, again, metric=metric, pair_on=pair_on, force=True)


def corrected(comparisons: Sequence[Comparison]) -> tuple[Comparison, ...]:
    """The same comparisons, their p-values Holm-corrected over all of them together."""
    rest = iter(stats.holm([unit.p for comparison in comparisons for unit in comparison.units]))
    return tuple(
        replace(made, units=tuple(replace(unit, p_corrected=next(rest)) for unit in made.units))
        for made in comparisons
    )


def compare_samples(
    a: tuple[Run, TaskRun],
    b: tuple[Run, TaskRun],
    metric: str,
    pair_on: str = DOC_HASH,
    settings: Sequence[protocols.Difference] = (),
    remarks: Sequence[str] = (),
) -> UnitComparison:
    """One task or group of two runs, its protocol already looked at. Raises RunError: nothing to pair."""
    (run_a, task_a), (run_b, task_b) = a, b
    matched, left_a, left_b = pairs.match(task_a, task_b, metric, pair_on)
    if not matched:
        raise RunError(
            f"{task_a.name}: no problem of {run_a.name} is one of {run_b.name} by {pair_on} "
            f"(left out: {left_a}; {left_b}); runs of the same problems under other hashes pair on a "
            "field: --pair-on id"
        )
    scores_a, scores_b = pairs.scores(matched)
    test = paired_test(scores_a, scores_b)
    return UnitComparison(
        unit=task_a.name,
        metric=metric,
        filter=task_a.filter,
        a=_side(run_a, scores_a, left_a),
        b=_side(run_b, scores_b, left_b),
        n=len(matched),
        difference=float(np.mean(scores_a) - np.mean(scores_b)),
        interval=stats.bootstrap_mean([pair.difference for pair in matched]),
        p_corrected=test.p,
        settings=tuple(settings),
        remarks=tuple(remarks),
        pairs=tuple(matched),
        **vars(test),
    )


@dataclass(frozen=True)
class PairedTest:
    """The test on paired scores: the fields of the same names in `UnitComparison`."""

    binary: bool
    pairing: stats.Pairing | None
    test: str
    p: float
    detectable: float | None


def paired_test(a: Sequence[float], b: Sequence[float]) -> PairedTest:
    """McNemar's exact test on scores of 0 and 1, a sign-flip permutation test on others."""
    if all(score in (0, 1) for score in (*a, *b)):
        pairing = stats.Pairing.of([score == 1 for score in a], [score == 1 for score in b])
        share = pairing.discordant / pairing.n if pairing.n else 0.0
        effect = stats.minimum_detectable_effect(pairing.n, share)
        return PairedTest(True, pairing, MCNEMAR, pairing.p, effect)
    differences = np.subtract(a, b)
    effect = stats.detectable_mean(len(differences), float(np.std(differences)))
    return PairedTest(False, None, SIGN_FLIP, stats.sign_flip([float(d) for d in differences]), effect)


def unequal_settings(a: Run, b: Run, unit: str) -> tuple[protocols.Difference, ...]:
    """Settings in which a task (or a group's tasks) differ between runs; none where one recorded nothing."""
    found: dict[str, protocols.Difference] = {}
    for task in a.groups.get(unit, (unit,)):
        one, two = a.tasks[task], b.tasks[task]
        if one.protocol and two.protocol:
            differences = protocols.differences(one.protocol, two.protocol)
            if one.filter != two.filter:
                differences.append(protocols.Difference("filter", one.filter, two.filter))
            found |= {str(difference): difference for difference in differences}
    return tuple(found.values())


def common_metric(a: TaskRun, b: TaskRun, wanted: str | None = None) -> str:
    """The metric asked for, else the first that both have, `runs.METRICS` before others.

    Raises RunError: one of them has it not, or they share none.
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


def _unit(
    a: Run, b: Run, unit: str, metric: str | None, pair_on: str, unequal: Sequence[protocols.Difference]
) -> UnitComparison:
    one, two = a.unit(unit), b.unit(unit)
    name = common_metric(one, two, metric)
    return compare_samples((a, one), (b, two), name, pair_on, unequal, _remarks(a, b, unit))


def _remarks(a: Run, b: Run, unit: str) -> list[str]:
    tasks = a.groups.get(unit, (unit,))
    blank = [run.name for run in (a, b) if not all(run.tasks[task].protocol for task in tasks)]
    said = [NOT_RECORDED.format(" and of ".join(blank))] if blank else []
    for task in tasks:
        ours, theirs = a.tasks[task].versions, b.tasks[task].versions
        known = ({k: v for k, v in of.items() if k in ours and k in theirs} for of in (ours, theirs))
        said += [f"versions differ: {found}" for found in protocols.differences(*known)]
    return list(dict.fromkeys(said))


def _refusal(a: Run, b: Run, unequal: dict[str, tuple[protocols.Difference, ...]]) -> str:
    listed = "; ".join(f"{unit}: {', '.join(map(str, found))}" for unit, found in unequal.items())
    return (
        f"{a.name} and {b.name} were not run under the same protocol. {listed}. "
        "Run one again under the other's settings, or compare all the same with --force"
    )


def _side(run: Run, scores: Sequence[float], left_out: LeftOut) -> Side:
    return Side(run.name, run.model, float(np.mean(scores)), stats.mean_interval(scores), left_out)
