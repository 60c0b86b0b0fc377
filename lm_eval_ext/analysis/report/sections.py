"""Build the tables of a report from its data."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from lm_eval_ext.analysis import stats
from lm_eval_ext.analysis.report import lengths as sizes
from lm_eval_ext.analysis.report.breakdowns import breakdowns
from lm_eval_ext.analysis.report.disagreements import judged_otherwise, split_problems
from lm_eval_ext.analysis.report.entries import (
    COST,
    ERROR,
    NO_ANSWER,
    UNDECIDED,
    WRONG,
    Entry,
    outcome_counts,
    recorded,
)
from lm_eval_ext.analysis.report.model import Part, Report
from lm_eval_ext.analysis.report.modes import MODES, mode_counts
from lm_eval_ext.analysis.report.tables import Column, Estimate, Table, estimate, shown, table
from lm_eval_ext.analysis.report.tokens import Tokenizer

DECIDED_BY = ("exact", "normalized", "symbolic", "judge")
MOST_ROWS = 12
"""Maximum rows of the overview."""
LAYER_PARTS = (*DECIDED_BY, UNDECIDED, WRONG, NO_ANSWER)


def scoreboard(report: Report) -> Table:
    """A row per task or group and run; a group's tasks follow it."""
    columns = (
        "task", "run", "n:count", "errors:count", "accuracy:estimate", "accuracy_high:share",
        "undecided:share", "answered:share", "capped:share", "tokens per response:count", "tokens:count",
        "cost:usd", "judge decided:count",
    )  # fmt: skip
    note = (
        "accuracy is the lower bound: undecided counts as wrong; accuracy_high is the upper. Capped: cut "
        "off by max_gen_toks. Intervals: "
        f"Wilson, {stats.CONFIDENCE:.0%} (bootstrap for scores averaged over repeats). Errors are excluded. "
        + _counted(report.parts)
    )
    return table("scores", "Scores", columns, [_score_row(part) for part in report.parts], note)


def overview(report: Report) -> Table:
    """The main scores of tasks and groups, for a terminal."""
    made, units = scoreboard(report), {part.name for part in report.units}
    wanted = ["task", "run", "n", "accuracy", "accuracy_high", "undecided", "answered", "capped"]
    kept = [i for i, column in enumerate(made.columns) if column.name in wanted]
    rows = [[row[i] for i in kept] for row in made.rows if row[0] in units]
    left = f"{len(rows) - MOST_ROWS} more rows are in the report" if len(rows) > MOST_ROWS else ""
    return table("overview", made.title, [made.columns[i] for i in kept], rows[:MOST_ROWS], left)


def layers(report: Report) -> Table:
    """Counts by what decided the responses: right ones by layer, then the others."""
    rows = [[_label(p), p.run_name, *_counts(layer_counts(p.entries))] for p in report.parts if p.graded]
    columns = ("task", "run", "n:count", *(f"{name}:count" for name in LAYER_PARTS))
    note = "Responses. exact, normalized, symbolic, judge: right ones by the layer that accepted them."
    return table("layers", "What decided", columns, rows, note)


def modes(report: Report) -> Table:
    """Counts of failure modes."""
    found = [(part, mode_counts(part.entries)) for part in report.parts]
    known = [name for name in MODES if not name.endswith("not known") or any(c[name] for _, c in found)]
    rows = [[_label(p), p.run_name, sum(c.values()), *(c[name] for name in known)] for p, c in found]
    columns = ("task", "run", "n:count", *(f"{name}:count" for name in known))
    note = (
        "Saturated: as many tokens as max_gen_toks, to 1%. Boxed: any statement that the grader extracts "
        "an answer from. " + _counted(report.parts)
    )
    return table("modes", "Miss modes", columns, rows, note)


def pairs(report: Report) -> Table:
    """Paired comparison of every two runs."""
    columns = (
        "task", "a", "b", "n:count", "a:share", "b:share", "a - b", "95%", "both right:count",
        "only a:count", "only b:count", "neither:count", "p:p", "p (Holm):p", "detectable", "test",
        "left out of a / b",
    )  # fmt: skip
    rows = []
    for made in report.comparisons:
        for u in made.units:
            counts = u.pairing
            four = [getattr(counts, k, None) for k in ("both", "only_a", "only_b", "neither")]
            between = f"{u.interval.low * 100:+.1f} to {u.interval.high * 100:+.1f}"
            effect = None if u.detectable is None else f"{u.detectable * 100:.1f} points"
            left = f"{u.a.left_out} / {u.b.left_out}"
            row = (u.unit, made.a, made.b, u.n, u.a.score, u.b.score, f"{u.difference * 100:+.1f}", between)
            rows.append((*row, *four, u.p, u.p_corrected, effect, u.test, left))
    note = (
        "Differences in percentage points, with the paired bootstrap interval; p by the exact McNemar test "
        "(sign flips for scores averaged over repeats), corrected over all tests in this table (Holm). "
        "Detectable: the smallest true difference that this number of problems detects with 80% power."
    )
    return table("pairs", "Pairs of runs", columns, rows, note)


def lengths(report: Report) -> Table:
    """Median response lengths."""
    rows = []
    for name in report.unit_names:
        for part in report.of(name):
            found = sizes.lengths(part.entries, length_unit(report, name))
            rows.append([name, part.run_name, found.unit, len(found.right), len(found.other), *found.medians])
    columns = (
        "task",
        "run",
        "unit",
        "right:count",
        "not right:count",
        "median right:count",
        "median not right:count",
    )
    return table("lengths", "Response lengths", columns, rows, _counted(report.parts))


def length_unit(report: Report, unit: str) -> str:
    """The unit of response lengths: TOKENS if all runs have them, else CHARACTERS."""
    units = {sizes.unit_of(part.entries) for part in report.of(unit)}
    return sizes.TOKENS if units == {sizes.TOKENS} else sizes.CHARACTERS


def budgets(report: Report) -> Table:
    """Accuracy at each token budget."""
    rows = [
        [unit, report.runs[run].name, p.budget, Estimate(p.share, p.interval, p.n), p.cut]
        for (unit, run), points in report.curves.items()
        for p in points
    ]
    note = (
        "Saved responses cut at the budget and graded again, without a judge; shorter responses keep "
        "their verdict. With greedy decoding this is the score of a run with that max_gen_toks."
    )
    columns = ("task", "run", "budget:count", "accuracy:estimate", "cut:count")
    return table("budgets", "Accuracy against token budget", columns, rows, note)


def disagreements(report: Report) -> Table:
    """The problems that divide the runs most evenly."""
    rows = [
        [p.unit, p.name, p.problem, p.gold, f"{p.right} of {p.n}", ", ".join(p.right_runs)]
        for p in split_problems(report)
    ]
    columns = ("task", "id", "problem", "gold", "right", "right in")
    return table("disagreements", "Problems that divide the runs", columns, rows)


def judge_against_symbolic(report: Report) -> Table:
    """Answers that only the judge accepted."""
    rows = [
        [part.name, part.run_name, entry.sample.gold, entry.answer, str(entry.outcome), entry.verdict.reason]
        for part, entry in judged_otherwise(report)
        if entry.verdict is not None
    ]
    columns = ("task", "run", "gold", "answer", "judge", "reason")
    note = "The layers before the judge did not find these answers equal to their golds; the judge did."
    return table("judge", "Judge against symbolic", columns, rows, note)


def settings(report: Report) -> Table:
    """Each setting of the protocol, with a column per run."""
    return _by_run(report, "protocol", "Protocol", lambda part: part.unit.protocol)


def versions(report: Report) -> Table:
    """Versions of the software that decides a score."""
    return _by_run(report, "versions", "Versions", lambda part: part.unit.versions)


def every_table(report: Report) -> list[Table]:
    """All non-empty tables, in the order of the page."""
    made = [
        scoreboard(report), layers(report), modes(report), pairs(report), lengths(report),
        *breakdowns(report), disagreements(report), judge_against_symbolic(report), budgets(report),
        settings(report), versions(report),
    ]  # fmt: skip
    return [one for one in made if one.rows]


def layer_counts(entries: Sequence[Entry]) -> dict[str, int]:
    """Number of responses per LAYER_PARTS; errors are not counted."""
    outcomes = outcome_counts(entries)
    accepted = [e.layer for e in entries if e.verdict and e.verdict.correct]
    return {name: accepted.count(name) for name in DECIDED_BY} | {
        name: outcomes[name] for name in (UNDECIDED, WRONG, NO_ANSWER)
    }


def _score_row(part: Part) -> list[Any]:
    asked = [entry for entry in part.entries if entry.outcome != ERROR]
    tokens = [entry.tokens for entry in asked if entry.tokens is not None]
    costs = [cost for sample in part.unit.samples for cost in recorded(sample, COST)]
    complete = bool(asked) and len(tokens) == len(asked)
    judged = sum(entry.layer == "judge" for entry in asked) if part.graded else None
    share = _share(asked) if part.graded and asked else lambda _: None
    return [
        _label(part), part.run_name, len(part.scores), part.errors, estimate(part.scores),
        share(lambda e: e.verdict is not None and e.verdict.correct is not False),
        share(lambda e: e.outcome == UNDECIDED), share(lambda e: e.answer is not None),
        share(lambda e: e.saturated is True) if all(e.saturated is not None for e in asked) else None,
        sum(tokens) / len(tokens) if complete else None, sum(tokens) if complete else None,
        sum(costs) if costs else None, judged,
    ]  # fmt: skip


def _share(entries: Sequence[Entry]) -> Callable[[Callable[[Entry], bool]], float | None]:
    return lambda holds: sum(map(holds, entries)) / len(entries)


def _by_run(report: Report, key: str, title: str, of: Callable[[Part], Any]) -> Table:
    rows = []
    for unit in report.unit_names:
        parts = {part.run: of(part) for part in report.of(unit)}
        for name in sorted({name for found in parts.values() for name in found}):
            cells = [_text(parts[i].get(name)) if i in parts else None for i in range(len(report.runs))]
            said = {cell for i, cell in enumerate(cells) if i in parts}
            rows.append([unit, name, "yes" if len(said) == 1 else "no", *cells])
    columns: list[str | Column] = ["task", "setting", "equal", *(Column(run.name) for run in report.runs)]
    return table(key, title, columns, rows)


def _text(value: Any) -> str | None:
    return None if value is None else value if isinstance(value, str) else shown(str(value), "text")


def _counts(found: dict[str, int]) -> Iterable[int]:
    return [sum(found.values()), *found.values()]


def _label(part: Part) -> str:
    return part.name if part.group is None else f"· {part.name}"


def _counted(parts: Sequence[Part]) -> str:
    """A note on how tokens were counted."""
    names = dict.fromkeys(Path(p.tokenizer.name).name for p in parts if isinstance(p.tokenizer, Tokenizer))
    blank = dict.fromkeys(p.run_name for p in parts if isinstance(p.tokenizer, str))
    said = [f"Tokens are counted with the tokenizer of {', '.join(names)}."] if names else []
    if blank:
        said.append(f"No tokenizer for {', '.join(blank)}: only recorded token counts are shown.")
    return " ".join(said)


def manifests(report: Report) -> list[tuple[str, str, str]]:
    """(run, label, JSON) of each recorded manifest and judge's usage."""
    found = []
    for part in report.parts:
        results = report.runs[part.run].results
        for name in ("manifest", "usage"):
            for recorded_by_task in (_recorded(r, part.name).get(name) for r in reversed(results)):
                if recorded_by_task:
                    text = json.dumps(recorded_by_task, indent=1, ensure_ascii=False, default=str)
                    found.append((part.run_name, f"{part.name}: {name}", text))
                    break
    return found


def _recorded(results: Mapping[str, Any], task: str) -> dict[str, Any]:
    metadata = (results["configs"].get(task) or {}).get("metadata") or {}
    return dict(metadata.get("protocol") or {})
