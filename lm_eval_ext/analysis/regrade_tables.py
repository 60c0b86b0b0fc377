"""Old against new on a screen, as rich tables."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from lm_eval_ext.analysis.flips import Comparison, Flip, outcome
from lm_eval_ext.analysis.imported import Imported
from lm_eval_ext.analysis.regrade import Regraded
from lm_eval_ext.grading.types import LAYERS, Verdict

SHOWN = 10
"""Flips of a task on a screen, unless all are asked for."""
_CHARS = 60
_CAPTION = "new: accuracy, the lower bound; high: undecided counted as right; * its changes are shown below"


def scores(runs: Sequence[Regraded]) -> Table:
    """A line for each old metric of each task and group."""
    several = len(runs) > 1
    title = "old against new" if several else f"{runs[0].name}: old against new"
    table = Table(title=title, title_justify="left", caption=_CAPTION, caption_justify="left")
    for name in (*(("run",) if several else ()), "task", "old metric"):
        table.add_column(name, overflow="fold")
    for name in ("n", "old", "new", "high", "undecided", "right by layer", "up", "down"):
        table.add_column(name, justify="right")
    for run in runs:
        for c in (*run.groups, *run.comparisons):
            flips = (str(c.up), str(c.down)) if c.singly else ("-", "-")
            old = _share(c.old, c.n) if c.scored else "-"
            shares = (old, *(_share(value, c.n) for value in (c.new, c.high, c.undecided)))
            names = (run.name, c.name) if several else (c.name,)
            table.add_row(*names, _metric(c), str(c.n), *shares, _layers(c), *flips)
    return table


def flips(runs: Sequence[Regraded], *, everything: bool = False) -> Table | None:
    """What flipped against the tasks' own scores; None if nothing did.

    Those that became right or were right come first: what only became undecided changes no score.
    """
    table = Table(title="verdicts that changed", title_justify="left", show_lines=True)
    for name in ("task", "doc", "old", "new", "answer", "gold", "why"):
        table.add_column(name, overflow="fold")
    for run in runs:
        for c in run.comparisons:
            found = sorted(c.flips, key=lambda flip: not (flip.up or flip.down)) if c.primary else []
            for flip in found if everything else found[:SHOWN]:
                table.add_row(*_cells(flip, everything))
            if len(found) > SHOWN and not everything:
                table.add_row(c.name, f"and {len(found) - SHOWN} more; --all shows them")
    return table if table.row_count else None


def imported(runs: Sequence[Imported]) -> Table:
    """A line for each model."""
    labelled = any(run.score("accuracy_label") is not None for run in runs)
    table = Table(title="imported responses", title_justify="left")
    table.add_column("model", overflow="fold")
    columns = ["problems", "n_scored", "accuracy", "high", "undecided", "answered", "right by layer"]
    for name in (*columns, *(("by label", "n labelled") if labelled else ())):
        table.add_column(name, justify="right")
    for run in runs:
        row = [run.model, str(len(run.rows)), str(run.score("n_scored"))]
        row += [_number(run.score(m)) for m in ("accuracy", "accuracy_high", "undecided", "answered")]
        row.append(_by_layer(run))
        if labelled:
            n = run.score("n_scored_accuracy_label") or run.score("n_scored")
            row += [_number(run.score("accuracy_label")), str(n)]
        table.add_row(*row)
    return table


def _metric(c: Comparison) -> str:
    return f"{c.against} *" if c.primary else c.against


def _share(total: float, n: int) -> str:
    return f"{total / n:.3f}" if n else "-"


def _number(value: object) -> str:
    return f"{value:.3f}" if isinstance(value, int | float) else "-"


def _layers(c: Comparison) -> str:
    return "  ".join(f"{name} {c.layers[name]}" for name in LAYERS if c.layers[name]) or "-"


def _by_layer(run: Imported) -> str:
    counted = Comparison(run.model, "", "")
    for row in run.rows:
        verdicts = (Verdict.from_json(text) for text in row["filtered_resps"][0])
        counted.layers.update(verdict.layer for verdict in verdicts if verdict.correct)
    return _layers(counted)


def _cells(flip: Flip, everything: bool) -> list[Text]:
    color = "green" if flip.up else "red" if flip.down else "yellow"
    number = f"{flip.doc_id}.{flip.response}" if flip.response else str(flip.doc_id)
    why = flip.new.reason or ""
    if flip.old_reason and flip.old_reason != why:
        why = f"{flip.old_reason} -> {why}"
    answer = flip.new.answer or flip.old_answer or ""
    texts = [_cut(text, everything) for text in (answer, flip.gold, why)]
    return [
        Text(flip.task),
        Text(number),
        Text(flip.old),
        Text(outcome(flip.new), style=color),
        *(Text(text) for text in texts),
    ]


def _cut(text: str, everything: bool) -> str:
    return text if everything or len(text) <= _CHARS else f"{text[:_CHARS]}..."
