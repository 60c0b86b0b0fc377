"""Build the tables of a report from its data."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from lm_eval_ext.analysis import protocols, stats
from lm_eval_ext.analysis.entries import (
    COST,
    MODES,
    NO_ANSWER,
    RIGHT,
    UNDECIDED,
    WRONG,
    Entry,
    recorded,
)
from lm_eval_ext.analysis.report import matrix
from lm_eval_ext.analysis.report.breakdowns import breakdowns
from lm_eval_ext.analysis.report.disagreements import split_problems
from lm_eval_ext.analysis.report.model import Part, Report
from lm_eval_ext.analysis.report.tokens import Tokenizer
from lm_eval_ext.analysis.tables import Column, Table, estimate, shown, table

MOST = 20
"""Maximum rows of the disagreements."""
MOST_ROWS = 12
"""Maximum rows of the overview."""
OVERVIEW = ("task", "run", "n", "accuracy", "accuracy_high", "undecided", "answered", "capped")
LAYER_PARTS = ("exact", "normalized", "symbolic", "judge", UNDECIDED, WRONG, NO_ANSWER)
TOKENS, CHARACTERS = "tokens", "characters"


def every_table(report: Report) -> list[Table]:
    """All tables, in the order of the page; some may be empty."""
    return [
        *matrix.tables(report), scoreboard(report), layers(report), modes(report), pairs(report),
        lengths(report), *breakdowns(report), disagreements(report), judge_against_symbolic(report),
        budgets(report), settings(report), versions(report),
    ]  # fmt: skip


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
        + _other_metrics(report.parts)
        + _counted(report.parts)
    )
    return table("scores", "Scores", columns, map(_score_row, report.parts), note)


def _score_row(part: Part) -> list[Any]:
    tokens = [entry.tokens for entry in part.asked if entry.tokens is not None]
    costs = [cost for sample in part.unit.samples for cost in recorded(sample, COST)]
    counted = len(tokens) == len(part.asked) > 0
    known = part.graded and all(entry.saturated is not None for entry in part.asked)
    share = part.share if part.graded else lambda _: None
    return [
        _label(part), part.run_name, len(part.scores), part.errors, estimate(part.scores),
        share(lambda e: e.verdict is not None and e.verdict.correct is not False),
        share(lambda e: e.outcome == UNDECIDED), share(lambda e: e.answer is not None),
        part.share(lambda e: e.saturated is True) if known else None,
        sum(tokens) / len(tokens) if counted else None, sum(tokens) if counted else None,
        sum(costs) if costs else None,
        sum(entry.layer == "judge" for entry in part.asked) if part.graded else None,
    ]  # fmt: skip


def overview(report: Report) -> Table:
    """The main scores of tasks and groups, for a terminal."""
    made, units = scoreboard(report), {part.name for part in report.units}
    kept = [i for i, column in enumerate(made.columns) if column.name in OVERVIEW]
    rows = [[row[i] for i in kept] for row in made.rows if row[0] in units]
    left = _other_metrics(report.units)
    left += f"{len(rows) - MOST_ROWS} more rows are in the report" if len(rows) > MOST_ROWS else ""
    return table("overview", made.title, [made.columns[i] for i in kept], rows[:MOST_ROWS], left)


def layers(report: Report) -> Table:
    """Counts by what decided the responses: right ones by layer, then the others."""
    note = "Responses. exact, normalized, symbolic, judge: right ones by the layer that accepted them."
    parts = [part for part in report.parts if part.graded]

    def decided(entry: Entry) -> str | None:
        return entry.layer if entry.accepted else entry.outcome

    return _counts("layers", "What decided", parts, decided, LAYER_PARTS, note)


def modes(report: Report) -> Table:
    """Counts of failure modes."""
    note = (
        "Saturated: as many tokens as max_gen_toks, to 1%. Boxed: any statement that the grader extracts "
        "an answer from. " + _counted(report.parts)
    )
    found = {entry.mode for part in report.parts for entry in part.asked}
    known = [name for name in MODES if not name.endswith("not known") or name in found]
    return _counts("modes", "Miss modes", report.parts, lambda entry: entry.mode, known, note)


def _counts(
    key: str,
    title: str,
    parts: Sequence[Part],
    of: Callable[[Entry], str | None],
    names: Sequence[str],
    note: str,
) -> Table:
    """How many responses of each part have each name."""
    counts = [(part, Counter(map(of, part.asked))) for part in parts]
    rows = [
        [_label(part), part.run_name, len(part.asked), *(n[name] for name in names)] for part, n in counts
    ]
    return table(key, title, ("task", "run", "n:count", *(f"{name}:count" for name in names)), rows, note)


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
            four = vars(u.pairing).values() if u.pairing else [None] * 4
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
    for part in report.units:
        measure = length_unit(report, part.name)
        sides = [
            sizes([e for e in part.asked if (e.outcome == RIGHT) == right], measure)
            for right in (True, False)
        ]
        medians = [median(side) if side else None for side in sides]
        rows.append([part.name, part.run_name, measure, *map(len, sides), *medians])
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
    """The unit of response lengths: TOKENS if those of every response of all runs are known."""
    found = [part.asked for part in report.of(unit)]
    known = all(asked and all(entry.tokens is not None for entry in asked) for asked in found)
    return TOKENS if known else CHARACTERS


def sizes(entries: Sequence[Entry], measure: str) -> list[int]:
    """The lengths of responses."""
    return [(entry.tokens or 0) if measure == TOKENS else len(entry.text) for entry in entries]


def disagreements(report: Report) -> Table:
    """The problems that divide the runs most evenly."""
    rows = [
        [
            p.unit,
            p.sample.name,
            p.sample.problem,
            p.sample.gold,
            f"{len(p.right_runs)} of {p.n}",
            ", ".join(p.right_runs),
        ]
        for p in split_problems(report)[:MOST]
    ]
    columns = ("task", "id", "problem", "gold", "right", "right in")
    return table("disagreements", "Problems that divide the runs", columns, rows)


def judge_against_symbolic(report: Report) -> Table:
    """Answers that only the judge accepted: the earlier layers did not."""
    rows = [
        [part.name, part.run_name, entry.sample.gold, entry.answer, entry.outcome, entry.reason]
        for part in report.units
        for entry in part.entries
        if entry.layer == "judge" and entry.accepted
    ]
    columns = ("task", "run", "gold", "answer", "judge", "reason")
    note = "The layers before the judge did not find these answers equal to their golds; the judge did."
    return table("judge", "Judge against symbolic", columns, rows[:MOST], note)


def budgets(report: Report) -> Table:
    """Accuracy at each token budget."""
    rows = [
        [unit, report.runs[run].name, point.budget, point.accuracy, point.cut]
        for (unit, run), points in report.curves.items()
        for point in points
    ]
    note = (
        "Saved responses cut at the budget and graded again, without a judge; shorter responses keep "
        "their verdict. With greedy decoding this is the score of a run with that max_gen_toks."
    )
    columns = ("task", "run", "budget:count", "accuracy:estimate", "cut:count")
    return table("budgets", "Accuracy against token budget", columns, rows, note)


def settings(report: Report) -> Table:
    """Each setting of the protocol, with a column per run."""
    return _by_run(report, "protocol", "Protocol", lambda part: part.unit.protocol)


def versions(report: Report) -> Table:
    """Versions of the software that decides a score."""
    return _by_run(report, "versions", "Versions", lambda part: part.unit.versions)


def _by_run(report: Report, key: str, title: str, of: Callable[[Part], Mapping[str, Any]]) -> Table:
    rows = []
    for unit in report.unit_names:
        parts = {part.run: of(part) for part in report.of(unit)}
        for name in sorted({name for found in parts.values() for name in found}):
            cells = [_text(parts.get(i, {}).get(name)) for i in range(len(report.runs))]
            said = {cells[i] for i in parts}
            rows.append([unit, name, "yes" if len(said) == 1 else "no", *cells])
    columns: list[str | Column] = ["task", "setting", "equal", *(Column(run.name) for run in report.runs)]
    return table(key, title, columns, rows)


def _text(value: Any) -> str | None:
    return None if value is None else shown(str(value), "text")


def _label(part: Part) -> str:
    return part.name if part.group is None else f"· {part.name}"


def _other_metrics(parts: Sequence[Part]) -> str:
    """A note on the tasks whose score is not `accuracy`."""
    other = {part.name: part.metric for part in parts if part.metric != "accuracy"}
    listed = ", ".join(f"the {metric} of {name}" for name, metric in other.items())
    return f"Under accuracy: {listed}. " if listed else ""


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
        noted = [protocols.recorded(r, part.name) for r in reversed(report.runs[part.run].results)]
        for name in ("manifest", "usage"):
            if said := next(filter(None, (one.get(name) for one in noted)), None):
                text = json.dumps(said, indent=1, ensure_ascii=False, default=str)
                found.append((part.run_name, f"{part.name}: {name}", text))
    return found
