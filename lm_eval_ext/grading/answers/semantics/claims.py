"""What an answer claims: its solutions, a decision in words, or a choice."""

from __future__ import annotations

from dataclasses import dataclass, replace

from lm_eval_ext.grading.answers.syntax.nodes import Condition, Node, symbols


@dataclass(frozen=True, slots=True)
class Solution:
    """One solution or family of solutions.

    Attributes:
        values: (name, value) pairs; the name is "" where none is given. `f(x) = 2x` has name "f".
        conditions: what limits the letters in the values.
        order: "" as written, "permutations" or "cyclic" where all reorderings are meant.
        arguments: of each named function, in order: ("x",) for f(x) = 2x.
        in_order: written in a list with commas, not with "or" nor in set braces.
        braced: a set {x : x > 0} by itself, united with no other.
        exact: its conditions follow "if and only if".
    """

    values: tuple[tuple[str, Node], ...]
    conditions: tuple[Condition, ...] = ()
    order: str = ""
    arguments: tuple[str, ...] = ()
    in_order: bool = False
    braced: bool = False
    exact: bool = False

    @property
    def letters(self) -> frozenset[str]:
        """The letters in its values."""
        return frozenset[str]().union(*(symbols(value) for _, value in self.values))

    def limited(self, conditions: tuple[Condition, ...]) -> Solution:
        return replace(self, conditions=self.conditions + conditions)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a text, or one part of it, says.

    Attributes:
        items: the solutions.
        word: a decision without mathematics: "yes", "no", "none" (there is no solution), "absent" (such a
            thing does not exist).
        choice: a letter of multiple choice or the name of a player: "A", "1" for the first player; with
            `items` where its value is given too: "(C) 1200".
        again: the same said in other words: "..., i.e. n = 2k".
        features: (name, value) of what is named in words: "center (2, -3), radius 5".
    """

    items: tuple[Solution, ...] = ()
    word: str = ""
    choice: str = ""
    again: tuple[Answer, ...] = ()
    features: tuple[tuple[str, Answer], ...] = ()
