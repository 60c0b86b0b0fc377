"""One batch of completions, and what the verifiers of its rows say."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from lm_eval_ext.rewards import AccuracyReward, Completion, Score, Verifier, text_of

Columns = Mapping[str, Any]
Values = list[dict[str, float | None]]
"""For each row its rewards by their names; a reward of rows of another verifier is not there."""


@dataclass(frozen=True)
class Grading:
    """How the rows of a task are graded, as its evaluation grades them.

    Attributes:
        task: of lm-eval.
        name: of the verifier.
        verifier: scores the rows.
        stops: the task's stop strings; text from the first of them on is not scored.
    """

    task: str
    name: str
    verifier: Verifier
    stops: Sequence[str] = ()

    @property
    def grader(self) -> AccuracyReward | None:
        """The evaluation's grader of math, if that is the verifier."""
        owner = getattr(self.verifier, "__self__", None)
        return owner if isinstance(owner, AccuracyReward) else None

    def scores(self, completions: Sequence[Completion], rows: Sequence[Columns]) -> list[Score]:
        """One score per completion."""
        return self.verifier([self.text(completion) for completion in completions], rows)

    def text(self, completion: Completion) -> str:
        """A completion up to the first stop string."""
        text = text_of(completion)
        for stop in self.stops:
            text = text.partition(stop)[0]
        return text


@dataclass
class Batch:
    """Completions, the rows that they answer, and what the verifiers of the rows say.

    Attributes:
        completions: as TRL has them.
        rows: the columns of each row.
        gradings: of each row.
        columns: of TRL, by name.
    """

    completions: Sequence[Completion]
    rows: list[dict[str, Any]]
    gradings: list[Grading]
    columns: Columns
    seconds: float = field(default=0.0, init=False)

    @cached_property
    def texts(self) -> list[str]:
        """The completions up to the stop strings of their tasks."""
        return [g.text(c) for g, c in zip(self.gradings, self.completions, strict=True)]

    @cached_property
    def scores(self) -> list[Score]:
        """By each row's own verifier."""
        start = time.perf_counter()
        found: dict[int, Score] = {}
        places: dict[int, list[int]] = defaultdict(list)
        for i, grading in enumerate(self.gradings):
            places[id(grading)].append(i)
        for same in places.values():
            grading = self.gradings[same[0]]
            scores = grading.scores([self.texts[i] for i in same], [self.rows[i] for i in same])
            found.update(zip(same, scores, strict=True))
        self.seconds = time.perf_counter() - start
        return [found[i] for i in range(len(self.rows))]

    def log_metrics(self) -> None:
        """Logs time, shares, and the mean score of each task."""
        log = self.columns.get("log_metric")
        if log is None:
            return
        log("reward/grading_s", self.seconds)
        log("reward/undecided", sum(s.correct is None for s in self.scores) / len(self.scores))
        log("reward/answered", sum(s.answer is not None for s in self.scores) / len(self.scores))
        by_task: dict[str, list[float]] = defaultdict(list)
        for grading, score in zip(self.gradings, self.scores, strict=True):
            by_task[grading.task] += [score.value] if score.value is not None else []
        for task, values in by_task.items():
            if values:
                log(f"score/{task}", sum(values) / len(values))
