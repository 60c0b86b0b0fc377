"""Warnings that affect how to read the scores."""

from __future__ import annotations

from collections.abc import Iterator

from lm_eval_ext.analysis.entries import NO_ANSWER, UNDECIDED
from lm_eval_ext.analysis.report.model import Part, Report
from lm_eval_ext.harness.protocol import MAX_CAPPED, MIN_ANSWERED

MAX_UNDECIDED = 0.05


def warnings(report: Report) -> tuple[str, ...]:
    """One line each: unequal protocols or problems, errors, undecided, unanswered, truncated."""
    found = [line for part in report.units for line in _of_part(part)]
    return tuple(dict.fromkeys([*_protocols(report), *_problems(report), *found]))


def _protocols(report: Report) -> Iterator[str]:
    for made in report.comparisons:
        for unit in made.units:
            for setting in unit.settings:
                yield f"{made.a} and {made.b} ran {unit.unit} under unequal protocols. {setting}"
            for remark in unit.remarks:
                yield f"{made.a} and {made.b} on {unit.unit}: {remark}"


def _problems(report: Report) -> Iterator[str]:
    for name in report.unit_names:
        sizes = {part.run_name: len(part.scores) for part in report.of(name)}
        if len(set(sizes.values())) > 1:
            listed = ", ".join(f"{run} {n}" for run, n in sizes.items())
            yield f"{name}: the runs have scores for different numbers of problems ({listed})"


def _of_part(part: Part) -> Iterator[str]:
    label = f"{part.name}, {part.run_name}"
    undecided = part.share(lambda entry: entry.outcome == UNDECIDED) or 0.0
    unanswered = part.share(lambda entry: entry.outcome == NO_ANSWER) or 0.0
    capped = part.share(lambda entry: entry.saturated is True) or 0.0
    if part.errors:
        yield f"{label}: {part.errors} of {len(part.entries)} got no response (refused or failed); not scored"
    if not part.graded:
        yield f"{label}: another grader wrote the scores; layers and undecided are not known"
    if undecided > MAX_UNDECIDED:
        yield f"{label}: {undecided:.0%} undecided; read accuracy with accuracy_high"
    if part.graded and 1 - unanswered < MIN_ANSWERED:
        yield f"{label}: {unanswered:.0%} commit to no answer; the score says little"
    if capped > MAX_CAPPED:
        yield f"{label}: {capped:.0%} of the responses used up max_gen_toks"
    if isinstance(part.tokenizer, str) and any(e.tokens is None for e in part.entries if e.text):
        yield f"{label}: token counts are not known ({part.tokenizer}, and none were recorded)"
