"""All rewards of a run: one batch of completions is scored once, however many functions TRL calls."""

from __future__ import annotations

import json
from collections.abc import Sequence
from threading import Lock
from typing import Any

from lm_eval_ext.rewards import Completion
from lm_eval_ext.rewards.completions import warn_of_undecided

from .batch import Batch, Columns, Grading, Values
from .rollouts import Rollouts
from .terms import Term


class RewardSet:
    """The rewards of a run. Can be pickled; thread safe.

    Args:
        gradings: of the tasks of its rows; rows name theirs in the columns `task` and `verifier`, which a
            data set of one task need not have.
        terms: its rewards.
        rollouts: where they are recorded.

    Raises ValueError, when called, for a row of another task.
    """

    def __init__(self, gradings: Sequence[Grading], terms: Sequence[Term], rollouts: Rollouts) -> None:
        self.gradings = {(grading.task, grading.name): grading for grading in gradings}
        self.terms = list(terms)
        self.rollouts = rollouts
        self._last: tuple[Sequence[Completion] | None, Values, set[str]] = (None, [], set())
        self._lock = Lock()

    @property
    def functions(self) -> list[RewardFunction]:
        """What TRL calls, one for each reward."""
        return [RewardFunction(term.entry.shown, self) for term in self.terms]

    def values(self, name: str, completions: Sequence[Completion], columns: Columns) -> list[float | None]:
        """The rewards of this name in a batch, which is scored and recorded when the first function asks.

        A row of which any reward is undecided gets none, so that the others do not rank it among wrong ones.
        """
        with self._lock:
            known, found, told = self._last
            if known is not completions or name in told:
                found, told = self._scored(self.batch(completions, columns)), set()
                self._last = completions, found, told
            told.add(name)
            return [row.get(name) for row in found]

    def batch(self, completions: Sequence[Completion], columns: Columns) -> Batch:
        """Completions with their rows. Raises ValueError for a row of a task that this run does not have."""
        of_rows = {name: values for name, values in columns.items() if isinstance(values, list)}
        rows = [{name: values[i] for name, values in of_rows.items()} for i in range(len(completions))]
        gradings = [self._grading(row) for row in rows]
        rows = [{**row, **json.loads(row.get("document") or "{}")} for row in rows]
        return Batch(completions, rows, gradings, columns)

    def _grading(self, row: Columns) -> Grading:
        if "task" not in row and len(self.gradings) == 1:
            return next(iter(self.gradings.values()))
        named = row.get("task", ""), row.get("verifier", "")
        if named not in self.gradings:
            raise ValueError(f"a row has task and verifier {named}; this run has {[*self.gradings]}")
        return self.gradings[named]

    def _scored(self, batch: Batch) -> Values:
        found: Values = [{} for _ in batch.rows]
        for term in self.terms:
            for i, value in term.values(batch).items():
                found[i][term.entry.shown] = value
        found = [dict.fromkeys(row) if None in row.values() else row for row in found]
        batch.log_metrics()
        warn_of_undecided(batch.scores, batch.rows)
        self.rollouts.record(batch, found)
        return found

    def close(self) -> None:
        """Ends the workers of the verifiers."""
        for grading in self.gradings.values():
            owner = getattr(grading.verifier, "__self__", grading.verifier)
            if hasattr(owner, "close"):
                owner.close()

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_last": (None, [], set()), "_lock": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, _lock=Lock())


class RewardFunction:
    """One reward of a set, as TRL calls it: one value per completion, None where it is undecided or the row
    is of another verifier."""

    def __init__(self, name: str, rewards: RewardSet) -> None:
        self.rewards = rewards
        self.__name__ = name  # TRL logs rewards by this name

    def __call__(self, completions: Sequence[Completion], **columns: Any) -> list[float | None]:
        """The rewards of these completions."""
        return self.rewards.values(self.__name__, completions, columns)

    def close(self) -> None:
        """Ends the workers of all verifiers."""
        self.rewards.close()
