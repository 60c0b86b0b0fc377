"""The verifier `code`."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from lm_eval_ext.errors import UserError
from lm_eval_ext.grading.extraction import formats
from lm_eval_ext.rewards.code.extraction import code_of
from lm_eval_ext.rewards.code.problems import CodeProblem
from lm_eval_ext.rewards.code.runner import Limits, Outcome, run_all
from lm_eval_ext.rewards.completions import up_to_stop
from lm_eval_ext.rewards.types import Score

PERMISSION = "HF_ALLOW_CODE_EVAL"
"""The environment variable that `evaluate` asks for too."""


class Code:
    """Runs the program of each response with the asserts of its row; the value is the share that holds.

    See `problems` for the columns, `sandbox` for how programs are isolated.

    Args:
        timeout_s: CPU time of a program, in whole seconds; it has four times as long on the clock.
        memory_mb: its address space, in MiB.
        workers: programs that run at the same time; None: this process's share of the host's cores.
        stops: text after the first of these strings is ignored.
        thinking: additional [opening, closing] marks of thinking.

    Raises UserError without permission to run the code of a model.
    """

    def __init__(
        self,
        *,
        timeout_s: int = 10,
        memory_mb: int = 1024,
        workers: int | None = None,
        stops: Sequence[str] = (),
        thinking: Sequence[Sequence[str]] = (),
    ) -> None:
        if os.environ.get(PERMISSION) != "1":
            raise UserError(
                f"the verifier code runs programs that a model wrote: set {PERMISSION}=1 (lm-eval-ext run: "
                "--confirm_run_unsafe_code) after reading docs/code.md"
            )
        self.limits = Limits(timeout_s, memory_mb)
        self.workers = workers
        self.stops = tuple(stops)
        self.thinking = formats(thinking)

    def __call__(self, responses: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> list[Score]:
        """One score per response. Raises ValueError for a row without tests."""
        problems = [CodeProblem.of(row) for row in rows]
        codes = [self.code(response, each) for response, each in zip(responses, problems, strict=True)]
        jobs = [
            (problem.program(code), problem.tests)
            for code, problem in zip(codes, problems, strict=True)
            if code is not None
        ]
        outcomes = iter(run_all(jobs, self.limits, self.workers))
        return [
            Score(0.0, False, reason="the response has no code")
            if code is None
            else score(code, next(outcomes))
            for code in codes
        ]

    def code(self, response: str, problem: CodeProblem) -> str | None:
        """The code of a response."""
        text = up_to_stop(response, self.stops)
        return code_of(text, problem.names, self.thinking, continues=bool(problem.opening))


def score(code: str, outcome: Outcome) -> Score:
    """The score of a program."""
    if outcome.undecided is not None:
        return Score(None, None, code, outcome.undecided)
    right = outcome.failure is None
    told = f"{outcome.held} of {outcome.total} asserts hold" + ("" if right else f"; {outcome.failure}")
    return Score(outcome.held / outcome.total if outcome.total else float(right), right, code, told)
