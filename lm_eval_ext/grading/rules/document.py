"""The rules as one Markdown document."""

from __future__ import annotations

from collections.abc import Iterable

from lm_eval_ext.grading import normalization
from lm_eval_ext.grading.rules.rule import AREAS, Pair, Rule

_HEAD = """\
# What the grader accepts

One line per rule, with pairs that it accepts (=) and near misses that it does not accept (≠): the answer
first, then the gold. What is not accepted is graded different or undecided. The tests grade every pair.

`make docs` writes this file from `lm_eval_ext/grading/rules`. How the grader works: [grading.md](grading.md).
"""
_EXTRACTION = "Here the first of a pair is a whole response; ⏎ is the end of a line."
_TABLE = """\
## Normalization

Before strings are compared, these patterns are replaced in both, in this order, once each. Before that,
Unicode mathematics becomes ASCII, and commas between groups of three digits go.

| pattern | becomes | why |
|---|---|---|
"""
_MAX_CHARS = 90


def render(rules: Iterable[Rule]) -> str:
    """The rules by area, then the table of notation."""
    rules = list(rules)
    sections = [_HEAD]
    for area in AREAS:
        lines = [f"## {area[0].upper()}{area[1:]}\n"]
        if area == "extraction":
            lines.append(f"{_EXTRACTION}\n")
        lines += [_rule(rule) for rule in rules if rule.area == area]
        sections.append("\n".join(lines) + "\n")
    rows = (f"| {_cell(p.pattern)} | {_cell(new)} | {_text(why)} |" for p, new, why in normalization.RULES)
    return "\n".join([*sections, _TABLE + "\n".join(rows) + "\n"])


def _rule(rule: Rule) -> str:
    return f"- {rule.says}\n  - {_pairs(rule.yes, '=')}\n  - {_pairs(rule.no, '≠')}"


def _pairs(pairs: tuple[Pair, ...], sign: str) -> str:
    return "; ".join(f"{_code(answer)} {sign} {_code(gold)}" for answer, gold in pairs)


def _code(text: str) -> str:
    shown = text.replace("\n", "⏎")
    if len(shown) > _MAX_CHARS:
        shown = f"{shown[:20]} ... ({len(text):,} characters)"
    return f"`{shown}`"


def _cell(text: str) -> str:
    if not text.strip():
        return "a space" if text else "nothing"
    return "`` " + text.replace("|", "\\|") + " ``"


def _text(text: str) -> str:
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("$", "\\$").replace("_", "\\_")
