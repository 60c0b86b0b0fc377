"""What an answer was read as, in words: for people who want to see why two answers are equal or not."""

from __future__ import annotations

from collections.abc import Iterator

from lm_eval_ext.grading.answers.errors import Unreadable
from lm_eval_ext.grading.answers.semantics import read
from lm_eval_ext.grading.answers.semantics.claims import Answer, Solution
from lm_eval_ext.grading.answers.syntax.nodes import Condition, Property, show


def describe(text: str) -> str:
    """One line for each solution, or why the text is not read."""
    try:
        parts = read(text)
    except (Unreadable, RecursionError) as error:
        return f"not read: {error}"
    lines = [list(_answer(part)) for part in parts]
    if len(lines) == 1:
        return "\n".join(lines[0])
    return "\n".join(f"part {i}: {line}" for i, part in enumerate(lines, 1) for line in part)


def _answer(answer: Answer) -> Iterator[str]:
    if answer.word:
        yield f"the decision {answer.word!r}"
    if answer.choice:
        yield f"the choice {answer.choice!r}"
    yield from map(_item, answer.items)
    for other in answer.again:
        yield from (f"in other words: {line}" for line in _answer(other))


def _item(item: Solution) -> str:
    arguments = f"({', '.join(item.arguments)})" if item.arguments else ""
    values = ", ".join((f"{name}{arguments} = " if name else "") + show(value) for name, value in item.values)
    order = {"permutations": ", in any order", "cyclic": ", up to rotation"}.get(item.order, "")
    limits = " and ".join(map(_condition, item.conditions))
    return values + order + (f", where {limits}" if limits else "")


def _condition(condition: Condition) -> str:
    if not isinstance(condition, Property):
        return show(condition)
    said = " ".join([condition.name, *map(show, condition.args)])
    return f"{show(condition.subject)} is {'' if condition.holds else 'not '}{said}"
