"""A run checked against a baseline: within what chance allows, worse, or not comparable.

If the baseline kept its verdicts, the same problems are compared one by one (McNemar, one-sided); else two
accuracies, each with its own uncertainty, which finds only far larger losses. Several figures share the
level: each is tested at alpha / their number.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from lm_eval_ext.analysis import baselines, protocols, stats
from lm_eval_ext.analysis.baselines import Baseline, Figure
from lm_eval_ext.analysis.lm_eval_files import RunError
from lm_eval_ext.analysis.runs import Run, SampleKey, TaskRun

ALPHA = 0.05
WITHIN, REGRESSION, USAGE, PROTOCOL = 0, 1, 2, 3
"""Exit statuses of `check-baseline`."""
PAIRED, TOLERANCE, THRESHOLD = "paired", "tolerance", "threshold"
HARNESS_DEFAULTS = {"generation max_gen_toks": 256, "generation temperature": 0.0, "num fewshot": 0}
"""What lm-eval does if a results file has no such setting."""


@dataclass(frozen=True)
class FigureCheck:
    """A figure of the baseline and the run's value."""

    task: str
    metric: str
    model: str
    expected: float  # the baseline's value over the problems compared
    expected_n: int | None
    value: float  # the run's
    n: int
    test: str = ""  # PAIRED, TOLERANCE or THRESHOLD; empty if the protocols differ
    lowest: float | None = None  # the lowest value that passes; None if nothing was tested
    p: float | None = None  # that the run is not worse
    p_two_sided: float | None = None  # that it is neither worse nor better
    lost: int | None = None  # problems right only in the baseline; None unless paired
    gained: int | None = None
    differences: tuple[protocols.SettingDifference, ...] = ()
    remark: str = ""
    regressed: bool = False

    @property
    def verdict(self) -> str:
        return "protocol" if self.differences else "regression" if self.regressed else "within"


def check(
    run: Run,
    baseline: Baseline,
    place: Path | None = None,
    *,
    model: str | None = None,
    paired: bool | None = None,
    alpha: float = ALPHA,
) -> list[FigureCheck]:
    """Checks a run against every figure of a baseline that it has the task and metric of.

    Args:
        place: the baselines' folder, for the verdicts kept.
        model: whose figures, of a baseline with several models; None: the run's own.
        paired: True: require it; False: never; None: if verdicts were kept.

    Raises RunError: no figure is of the run's tasks, several models and none is the run's, or no verdicts
    were kept for a paired check.
    """
    model = model or _model_of(baseline, run)
    chosen = [(f, task) for f in _nearest(baseline.figures, run, model) if (task := _measured(run, f))]
    if not chosen:
        tasks = sorted({f.task for f in baseline.figures if model in (None, f.model)})
        raise RunError(
            f"{baseline.name} has no figure for {', '.join([*run.groups, *run.tasks])} with a metric of the "
            f"run; it has {', '.join(tasks)}"
        )
    compared = [(figure, task, unequal(figure, task)) for figure, task in chosen]
    tests = sum(not found and figure.kind == "measured" for figure, _, found in compared)
    checks = []
    for figure, task, differences in compared:
        if differences:
            checks.append(replace(_figure_check(figure, task), differences=differences))
        elif figure.kind == "threshold":
            checks.append(_threshold(_figure_check(figure, task), figure))
        else:
            checks.append(_tested(figure, task, place, paired, alpha / max(tests, 1)))
    return checks


def exit_code(checks: Iterable[FigureCheck]) -> int:
    """REGRESSION if anything is worse, else PROTOCOL if anything could not be compared, else WITHIN."""
    verdicts = {found.verdict for found in checks}
    return REGRESSION if "regression" in verdicts else PROTOCOL if "protocol" in verdicts else WITHIN


def unequal(figure: Figure, task: TaskRun) -> tuple[protocols.SettingDifference, ...]:
    """Settings in which a run differs from those known of a figure; any other too if it is complete."""
    if figure.protocol and not task.protocol:
        return (protocols.SettingDifference("protocol", "recorded", "not recorded"),)
    known = {**HARNESS_DEFAULTS, **task.protocol}
    asked = {**HARNESS_DEFAULTS, **figure.protocol} if figure.complete else figure.protocol
    found = protocols.differences(asked, known if figure.complete else {k: known.get(k) for k in asked})
    return tuple(found)


def _model_of(baseline: Baseline, run: Run) -> str | None:
    """The only model of a baseline, else the run's."""
    models = list(dict.fromkeys(figure.model for figure in baseline.figures))
    own = next((model for model in models if Path(model).name == run.name), None)
    if own is None and len(models) > 1:
        raise RunError(
            f"{baseline.name} has figures of {len(models)} models and none is {run.name}; "
            f"name one with --model: {', '.join(models)}"
        )
    return own or next(iter(models), None)


def _measured(run: Run, figure: Figure) -> TaskRun | None:
    """The run's task with the figure's filter, if it has the figure's metric."""
    if figure.task not in {*run.tasks, *run.groups}:
        return None
    task = run.unit(figure.task)
    if figure.filter is not None:
        if figure.filter not in task.filters:
            return None
        task = task.with_filter(figure.filter)
    return task if figure.metric in task.metrics and task.scored(figure.metric) else None


def _nearest(figures: Sequence[Figure], run: Run, model: str | None) -> list[Figure]:
    """Of figures that differ only in protocol the one nearest to the run's; all thresholds."""
    found: dict[tuple[str | None, ...], Figure] = {}
    for figure in figures:
        if model not in (None, figure.model) or (task := _measured(run, figure)) is None:
            continue
        label = figure.notes if figure.kind == "threshold" else None
        key = (figure.model, figure.task, figure.metric, figure.filter, label)
        if key not in found or len(unequal(figure, task)) < len(unequal(found[key], task)):
            found[key] = figure
    return list(found.values())


def _figure_check(figure: Figure, task: TaskRun) -> FigureCheck:
    """The two values, not tested yet."""
    scores = list(task.scored(figure.metric).values())
    metric = figure.metric if figure.filter is None else f"{figure.metric}, {figure.filter}"
    value = sum(scores) / len(scores)
    return FigureCheck(figure.task, metric, figure.model, figure.value, figure.n, value, len(scores))


def _threshold(found: FigureCheck, figure: Figure) -> FigureCheck:
    missed = found.value < figure.value
    return replace(found, test=THRESHOLD, lowest=figure.value, regressed=missed, remark=figure.notes)


def _tested(
    figure: Figure, task: TaskRun, place: Path | None, paired: bool | None, level: float
) -> FigureCheck:
    kept = {} if paired is False else baselines.verdicts(figure, place)
    if paired and not kept:
        raise RunError(
            f"no verdicts were kept for {figure.task} of {figure.model}: --tolerance compares values"
        )
    return _paired(figure, task, kept, level) if kept else _tolerance(figure, task, level)


def _paired(figure: Figure, task: TaskRun, kept: Mapping[SampleKey, bool], level: float) -> FigureCheck:
    scored = task.scored(figure.metric)
    tasks = {key[0] for key in scored}  # a baseline keeps the verdicts on all its tasks together
    own = {key: correct for key, correct in kept.items() if key[0] in tasks}
    common = own.keys() & scored.keys()
    if not common:
        raise RunError(
            f"{figure.task}: none of the baseline's {len(kept)} problems is in {task.results_file}"
        )
    pairs = Counter((own[key], scored[key] == 1) for key in common)
    lost, gained, n = pairs[True, False], pairs[False, True], len(common)
    before, p = pairs[True, True] + lost, stats.mcnemar(lost, gained, "greater")
    most = _first(n + 1, lambda more: stats.mcnemar(more, gained, "greater") < level) - 1
    apart = (max(len(own), figure.n or 0) - n, len(scored) - n)
    return replace(
        _figure_check(figure, task),
        test=PAIRED,
        expected=before / n,
        expected_n=n,
        value=(before - lost + gained) / n,
        n=n,
        lowest=max(0, before - most + gained) / n,
        p=p,
        p_two_sided=stats.mcnemar(lost, gained),
        lost=lost,
        gained=gained,
        remark=f"{apart[0]} problems only in the baseline, {apart[1]} only in the run" if any(apart) else "",
        regressed=p < level,
    )


def _tolerance(figure: Figure, task: TaskRun, level: float) -> FigureCheck:
    found = _figure_check(figure, task)
    of = figure.value if figure.n is None else figure.right or figure.value * figure.n

    def p_of(right: float) -> float:
        return stats.proportion_loss(right, found.n, of, figure.n)

    p = p_of(found.value * found.n)
    lowest = _first(found.n, lambda right: p_of(right) >= level) / found.n
    two_sided = min(1.0, 2 * min(p, 1 - p))
    return replace(found, test=TOLERANCE, lowest=lowest, p=p, p_two_sided=two_sided, regressed=p < level)


def _first(stop: int, holds: Callable[[int], bool]) -> int:
    """The first number below `stop` for which it holds, as for all after it; else `stop`."""
    return bisect_left(range(stop), True, key=holds)
