"""Regraded and imported runs as rich tables."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from lm_eval_ext.analysis.regrade.diff import RegradeDiff, VerdictChange, outcome
from lm_eval_ext.analysis.regrade.importing import ImportedRun
from lm_eval_ext.analysis.regrade.run import RegradedRun
from lm_eval_ext.grading.types import LAYERS

SHOWN = 10
"""Changes of a task on a screen, unless all are asked for."""
_CHARS = 60
_CAPTION = "new: accuracy, the lower bound; high: undecided counted as right; * its changes are shown below"


def scores(runs: Sequence[RegradedRun]) -> Table:
    """A line for each old metric of each task and group."""
    several = len(runs) > 1
    title = "old against new" if several else f"{runs[0].name}: old against new"
    table = _table(
        title,
        [*(("run",) if several else ()), "task", "old metric"],
        ["n", "old", "new", "high", "undecided", "right by layer", "up", "down"],
    )
    table.caption, table.caption_justify = _CAPTION, "left"
    for run in runs:
        for d in (*run.groups, *run.diffs):
            changed = (str(d.up), str(d.down)) if d.by_response else ("-", "-")
            shares = [_number(total / d.n if d.n else None) for total in (d.old, d.new, d.high, d.undecided)]
            if not d.scored:
                shares[0] = "-"
            names = (run.name, d.name) if several else (d.name,)
            metric = f"{d.against} *" if d.primary else d.against
            table.add_row(*names, metric, str(d.n), *shares, _layers(d), *changed)
    return table


def changes(runs: Sequence[RegradedRun], *, everything: bool = False) -> Table | None:
    """The verdicts that changed against the tasks' own scores; None if none did.

    Those that became right or were right come first: the others change no score.
    """
    table = _table("verdicts that changed", ["task", "doc", "old", "new", "answer", "gold", "why"])
    table.show_lines = True
    for diff in (diff for run in runs for diff in run.diffs if diff.primary):
        found = sorted(diff.changes, key=lambda change: not (change.became_right or change.was_right))
        for change in found if everything else found[:SHOWN]:
            table.add_row(*_cells(change, everything))
        if len(found) > SHOWN and not everything:
            table.add_row(diff.name, f"and {len(found) - SHOWN} more; --all shows them")
    return table if table.row_count else None


def imported(runs: Sequence[ImportedRun]) -> Table:
    """A line for each model."""
    labelled = any(run.score("accuracy_label") is not None for run in runs)
    columns = ["problems", "n_scored", "accuracy", "high", "undecided", "answered", "right by layer"]
    table = _table("imported responses", ["model"], [*columns, *(["by label", "n labelled"] * labelled)])
    for run in runs:
        row = [run.model, str(len(run.rows)), str(run.score("n_scored"))]
        row += [_number(run.score(m)) for m in ("accuracy", "accuracy_high", "undecided", "answered")]
        row.append(_layers(*run.diffs))
        if labelled:
            n = run.score("n_scored_accuracy_label") or run.score("n_scored")
            row += [_number(run.score("accuracy_label")), str(n)]
        table.add_row(*row)
    return table


def _table(title: str, names: Sequence[str], numbers: Sequence[str] = ()) -> Table:
    table = Table(title=title, title_justify="left")
    for name in names:
        table.add_column(name, overflow="fold")
    for name in numbers:
        table.add_column(name, justify="right")
    return table


def _number(value: object) -> str:
    return f"{value:.3f}" if isinstance(value, int | float) else "-"


def _layers(*diffs: RegradeDiff) -> str:
    counts = {name: sum(diff.layers[name] for diff in diffs) for name in LAYERS}
    return "  ".join(f"{name} {count}" for name, count in counts.items() if count) or "-"


def _cells(change: VerdictChange, everything: bool) -> list[Text]:
    color = "green" if change.became_right else "red" if change.was_right else "yellow"
    number = f"{change.doc_id}.{change.response}" if change.response else str(change.doc_id)
    why = change.new.reason or ""
    if change.old_reason and change.old_reason != why:
        why = f"{change.old_reason} -> {why}"
    answer = change.new.answer or change.old_answer or ""
    texts = [t if everything or len(t) <= _CHARS else f"{t[:_CHARS]}..." for t in (answer, change.gold, why)]
    new = Text(outcome(change.new), style=color)
    return [Text(change.task), Text(number), Text(change.old), new, *map(Text, texts)]
