"""The documented rules (`rules.yaml`); `python -m lm_eval_ext.grading.rules` prints docs/rules.md."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import Annotated

import yaml
from pydantic import BaseModel, ConfigDict, Field

from lm_eval_ext.grading import normalization

Pair = tuple[str, str]
"""An answer, or in the areas "extraction" and "languages" a whole response, and its gold."""
Pairs = Annotated[list[Pair], Field(min_length=1)]
_HEAD = """\
# What the grader accepts

One line per rule, with pairs that it accepts (=) and near misses that it does not accept (≠): the answer
first, then the gold. What is not accepted is graded different or undecided. In brackets are the ids by which
the pairs are accepted, as a verdict's `rule` shows them: [ids](#ids) says what each means, and
`grep -rn ID lm_eval_ext` finds the function that decides by it. The tests grade every pair.

`make docs` writes this file from `lm_eval_ext/grading/rules.yaml`. How the grader works:
[grading.md](grading.md).
"""
_EXTRACTION = "Here the first of a pair is a whole response; ⏎ is the end of a line."
_IDS = """\
## Ids

| id | says that |
|---|---|
"""
_TABLE = """\
## Normalization

Before strings are compared, these patterns are replaced in both, in this order, once each. Before that,
Unicode mathematics becomes ASCII, and commas between groups of three digits are removed.

| pattern | becomes | why |
|---|---|---|
"""
_MAX_CHARS = 90


class Rule(BaseModel):
    """One rule of mathematics or notation, with examples that the tests grade.

    Attributes:
        rule: in one line.
        ids: the rules (see `rulebook`) by which the accepted pairs are decided.
        accepted: pairs that are right.
        near_misses: pairs that are different or undecided.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    rule: str
    ids: Annotated[list[str], Field(min_length=1)]
    accepted: Pairs
    near_misses: Pairs


class Rules(BaseModel):
    """`areas`: the rules by area; `ids`: the meaning of each id."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    areas: dict[str, list[Rule]]
    ids: dict[str, str]


@cache
def documented() -> Rules:
    text = files("lm_eval_ext.grading").joinpath("rules.yaml").read_text("utf-8")
    return Rules.model_validate(yaml.safe_load(text))


def markdown() -> str:
    """The rules by area, the ids, and the table of notation."""
    sections = [_HEAD]
    for area, rules in documented().areas.items():
        lines = [f"## {area[0].upper()}{area[1:]}\n"]
        if area == "extraction":
            lines.append(f"{_EXTRACTION}\n")
        sections.append("\n".join([*lines, *map(_entry, rules)]) + "\n")
    ids = (f"| `{name}` | {_text(meaning)} |" for name, meaning in documented().ids.items())
    rows = (
        f"| {_cell(p.pattern)} | {_cell(new)} | {_text(why)} |" for p, new, why in normalization.REPLACEMENTS
    )
    return "\n".join([*sections, _IDS + "\n".join(ids) + "\n", _TABLE + "\n".join(rows) + "\n"])


def _entry(rule: Rule) -> str:
    ids = ", ".join(f"`{name}`" for name in rule.ids)
    return f"- {rule.rule} [{ids}]\n  - {_pairs(rule.accepted, '=')}\n  - {_pairs(rule.near_misses, '≠')}"


def _pairs(pairs: Sequence[Pair], sign: str) -> str:
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


if __name__ == "__main__":
    sys.stdout.write(markdown())
