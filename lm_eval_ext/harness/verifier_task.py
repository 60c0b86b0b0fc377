"""The task classes whose responses a verifier of `lm_eval_ext.rewards` scores."""

from __future__ import annotations

from collections.abc import Sequence

from lm_eval_ext.harness import metrics
from lm_eval_ext.harness.filters import VERIFY, Verify
from lm_eval_ext.harness.task import Filters, ProtocolTask, capped, undecided
from lm_eval_ext.rewards.types import Score


class VerifierTask(ProtocolTask):
    """Responses are scored by a verifier of `lm_eval_ext.rewards`, as they are in training."""

    filter = VERIFY

    @classmethod
    def check_asked(cls, task: str, filters: Filters, chat: bool) -> None:
        """Makes the verifiers. Raises UserError for one that refuses, as `code` does without permission."""
        steps = [step for entry in filters for step in entry["filter"] if step.get("function") == cls.filter]
        for step in steps:
            Verify(**{name: value for name, value in step.items() if name != "function"}).verifier()

    @staticmethod
    def warnings(by_filter: Sequence[Sequence[metrics.Judged[Score]]]) -> list[str]:
        docs = by_filter[0] if by_filter else ()
        return [*undecided(docs, lambda score: score.correct, "the score"), *capped(docs)]


class CodeTask(VerifierTask):
    """Programs are run with the asserts of their problem; needs permission, see `rewards.code`."""

    score = staticmethod(metrics.code_results)
    metric_entries = staticmethod(metrics.code_metric_list)


class InstructionTask(VerifierTask):
    """Responses are checked for the instructions of their prompt."""

    score = staticmethod(metrics.instruction_results)
    metric_entries = staticmethod(metrics.instruction_metric_list)
