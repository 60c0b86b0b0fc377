"""Preflight: what has gone wrong before is checked before a run spends its hours.

Rooms, from the ground up: `registry` (rows), `subject` (what is looked at), `checks/` (one small function a
row), `report` (table and JSON). `lm-eval-ext train preflight --config C` shows it all.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lm_eval_ext.harness.errors import UserError

from .registry import ROWS, NotAtHand, Outcome, Row, inapplicable
from .report import Finding, Report, Sample
from .subject import Kind, Subject

if TYPE_CHECKING:
    from ..recipe import Recipe

REPORT = "preflight.json"


def preflight(
    recipe: Recipe,
    training: Any,
    model: Any,
    kind: Kind,
    *,
    tokenizer: Any = None,
    folder: str | None = None,
    rewards: list[Any] | None = None,
    collator: Any = None,
    deep: bool = False,
) -> Report:
    """Every row of the pitfalls, checked.

    Args:
        recipe, training, model: as `training.recipe.read` gives them.
        kind: the trainer, "sft" or "grpo".
        tokenizer: of the run; None: it is loaded.
        folder: model folder that stands in for one that is not at hand.
        rewards: reward functions; None: those of the recipe.
        collator: of SFT batches; None: TRL's.
        deep: whether the model is loaded, too, for the rows that need it.

    Raises UserError where the recipe itself makes no sense (no such task).
    """
    from . import checks as checks  # registers the rows

    subject = Subject(
        recipe, training, model, kind, tokenizer=tokenizer, folder=folder, rewards=rewards, collator=collator
    )
    with subject:
        findings = [
            Finding.of(row, outcome(row, subject, deep), recipe.accepted) for _, row in sorted(ROWS.items())
        ]
        sample, note = _sample(subject)
    return Report(tuple(findings), sample, note)


def outcome(row: Row, subject: Subject, deep: bool = False) -> Outcome:
    """What the check of a row finds; with `deep` first its look at the model, if it has one."""
    try:
        shallow = row.check(subject) if row.check else None
        if deep and row.deep and (shallow is None or shallow.verdict == "passed"):
            found = row.deep(subject)
            return found if shallow is None or found.verdict != "does not apply" else shallow
        return shallow or inapplicable("needs the model: checked with --deep")
    except NotAtHand as missing:
        return Outcome("not checked", str(missing))


def before(recipe: Recipe, training: Any, model: Any, kind: Kind, tokenizer: Any) -> None:
    """What a run does first: on its first process, unless the recipe says `preflight: false`.

    The report goes to the standard error and to `output_dir/preflight.json`.

    Raises UserError where an error row failed that the recipe does not accept.
    """
    if not recipe.preflight or int(os.environ.get("RANK", "0")):
        return
    report = preflight(recipe, training, model, kind, tokenizer=tokenizer)
    report.show(sys.stderr)
    report.write(Path(training.output_dir) / REPORT)
    if report.stopping:
        said = "; ".join(f"row {f.row}, {f.name}: {f.seen}" for f in report.stopping)
        raise UserError(f"preflight: {said}")


def _sample(subject: Subject) -> tuple[Sample | None, str]:
    """One training sample, with its loss mask under SFT."""
    try:
        if subject.kind == "grpo":
            return Sample(((subject.asked[0], False),)), "a training prompt:"
        shown = subject.cut.get(0) or next(iter(subject.cut.values()), None)
        if shown is None:
            return None, "no row is left after max_length"
        note = "a training sample; the loss is on what is marked:"
        return Sample.of(shown.ids, shown.labels, subject.tokenizer), note
    except NotAtHand as missing:
        return None, f"no sample: {missing}"
