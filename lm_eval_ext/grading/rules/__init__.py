"""What the grader accepts and what it never accepts: rules with examples, which the tests grade.

`python -m lm_eval_ext.grading.rules` prints them; `make docs` writes them to `docs/rules.md`.
"""

from __future__ import annotations

from lm_eval_ext.grading.rules import amounts, document, formulas, limits, solutions, texts, wording
from lm_eval_ext.grading.rules.rule import AREAS, Rule

RULES: tuple[Rule, ...] = (
    *texts.RULES,
    *amounts.RULES,
    *solutions.RULES,
    *formulas.RULES,
    *wording.RULES,
    *limits.RULES,
)


def markdown() -> str:
    """All rules, and the table of notation, as one Markdown document."""
    return document.render(RULES)


__all__ = ["AREAS", "RULES", "Rule", "markdown"]
