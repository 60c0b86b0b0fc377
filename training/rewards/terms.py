"""The kinds of rewards in a recipe."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from lm_eval_ext.rewards import Verifier, verifier

from ..entries import OVERLONG, TASK, RewardEntry
from .batch import Batch

Found = dict[int, float | None]
"""Number of a row -> its reward."""


@dataclass(frozen=True)
class OfRows:
    """The score of each row by its own verifier, of all rows or of those with this verifier."""

    name: str

    def __call__(self, batch: Batch) -> Found:
        """The scores."""
        rows = enumerate(zip(batch.scores, batch.gradings, strict=True))
        return {i: score.value for i, (score, grading) in rows if self.name in (TASK, grading.name)}


@dataclass(frozen=True)
class OfVerifier:
    """The score of every row by one verifier."""

    verifier: Verifier

    def __call__(self, batch: Batch) -> Found:
        """The scores."""
        return {i: score.value for i, score in enumerate(self.verifier(batch.texts, batch.rows))}


@dataclass(frozen=True)
class Overlong:
    """TRL's punishment of the last tokens before the limit (DAPO, arXiv 2503.14476): from 0 to -1."""

    punishment: Callable[..., list[float]]

    def __call__(self, batch: Batch) -> Found:
        """The punishments."""
        return dict(enumerate(self.punishment(completion_ids=batch.columns["completion_ids"])))


@dataclass(frozen=True)
class Term:
    """An entry of `rewards`, and how its values are computed."""

    entry: RewardEntry
    compute: Callable[[Batch], Found]

    def values(self, batch: Batch) -> Found:
        """The reward of each row that it applies to; 0 or None where its condition does not hold."""
        found = self.compute(batch)
        if self.entry.only_if:
            unmet = {False: 0.0, None: None}
            found = {i: unmet.get(batch.scores[i].correct, value) for i, value in found.items()}
        return found


def term(entry: RewardEntry, row_verifiers: set[str], most_tokens: int) -> Term:
    """The reward of an entry.

    Args:
        entry: of the recipe.
        row_verifiers: names of the verifiers that rows have; such an entry stands for the rows' own scores.
        most_tokens: the limit of a completion.

    Raises ValueError or TypeError for settings that do not suit its kind.
    """
    if entry.name == TASK or (entry.name in row_verifiers and not entry.settings):
        return Term(entry, OfRows(entry.name))
    if entry.name != OVERLONG:
        return Term(entry, OfVerifier(verifier(entry.name, **entry.settings)))
    from trl.rewards import get_soft_overlong_punishment

    tokens = entry.settings.get("tokens")
    if set(entry.settings) != {"tokens"} or not (isinstance(tokens, int) and 0 < tokens <= most_tokens):
        raise ValueError(
            f"rewards: overlong has {dict(entry.settings)}; give tokens, at most max_completion_length "
            f"({most_tokens})"
        )
    return Term(entry, Overlong(get_soft_overlong_punishment(most_tokens, tokens)))
