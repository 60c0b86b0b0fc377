"""What has been read of an answer so far; the rules for values and for conditions change it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from lm_eval_ext.grading.answers.semantics.claims import Answer, Solution
from lm_eval_ext.grading.answers.semantics.clauses import Clause
from lm_eval_ext.grading.answers.semantics.conditions import declared
from lm_eval_ext.grading.answers.syntax.nodes import Condition


@dataclass
class State:
    """The solutions read so far, and what the next clause needs to know."""

    clauses: list[Clause]
    position: int = 0  # index of the clause that is read
    items: list[Solution] = field(default_factory=list)
    again: list[Answer] = field(default_factory=list)  # the same answer in other words
    names: tuple[str, ...] = ()  # of the last named value: the next value without a name has them too
    arguments: tuple[str, ...] = ()  # with `names`, of functions
    label: str = ""  # "maximum" or "minimum", announced before its value
    order: str = ""  # the reorderings that are meant, announced before the values
    is_open: bool = False  # the last solution may get further named values
    previous: str = ""  # what the clause before was: "value", "if", "else" or "except"
    leading: tuple[Condition, ...] = ()  # conditions stated before the values that they limit
    unlimited: int = 0  # index of the first solution that no condition limits yet
    limited: int = 0  # index of the first solution that the last condition limits
    defined: str = ""  # the letter that the last condition defines

    @property
    def last(self) -> Solution | None:
        return self.items[-1] if self.items else None

    @property
    def following(self) -> list[Clause]:
        return self.clauses[self.position + 1 :]

    def letters(self) -> set[str]:
        """The letters in the values so far."""
        return {letter for item in self.items for letter in item.letters}

    def add(self, item: Solution) -> None:
        self.items.append(item)
        self.is_open = False

    def limit(self, conditions: Iterable[Condition]) -> None:
        """Limit the solutions since the last condition, at least the last one."""
        self.limited = min(self.unlimited, max(len(self.items) - 1, 0))
        self.limit_from(self.limited, conditions)
        self.unlimited = len(self.items)

    def limit_from(self, start: int, conditions: Iterable[Condition]) -> None:
        more = tuple(conditions)
        limited = self.items[start:]
        self.items[start:] = [
            item.limited(tuple(c for c in more if not _is_about_others(c, item, limited))) for item in limited
        ]

    def apply_leading(self) -> None:
        """Limit the solutions that no condition limits by those stated before them."""
        if self.leading:
            self.limit_from(self.unlimited, self.leading)


def _is_about_others(condition: Condition, item: Solution, items: Sequence[Solution]) -> bool:
    """k > 1 in "(1, 1), (k, 2k) for k > 1" limits the pairs with a k, and not (1, 1)."""
    letters = declared([condition])
    own = item.letters | set(item.arguments) | {name for name, _ in item.values}
    return bool(letters) and not letters & own and any(letters <= other.letters for other in items)
