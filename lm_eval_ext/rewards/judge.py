"""A language model's opinion as a reward."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lm_eval_ext.grading import Item, Verdict
from lm_eval_ext.grading.extraction import visible
from lm_eval_ext.grading.judge import JudgeConfig, LlmJudge
from lm_eval_ext.rewards.completions import golds_of
from lm_eval_ext.rewards.types import Score


class JudgeVerifier:
    """1 where the judge says YES to a whole response without its thinking, 0 where it says NO.

    Each distinct question is asked once: replies are kept in the judge's cache, also between runs. Without a
    reply, or over `budget_usd`, a response is undecided. Can be pickled.

    Args:
        settings: of `JudgeConfig`: model, base_url, prompt (a folder with a prompt of one's own), budget_usd.

    Raises JudgeError for invalid settings; when called, also if the judge refuses all questions.
    """

    def __init__(self, **settings: Any) -> None:
        self.config = JudgeConfig.from_settings(settings)
        self._judge: LlmJudge | None = None

    def __call__(self, responses: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> list[Score]:
        """One score per response, by the row's `gold` or `solution`, and its `problem` if there is one."""
        if self._judge is None:
            self._judge = LlmJudge(self.config)
        texts = [visible(response).strip() for response in responses]
        golds = [golds_of(row.get("gold"), row) for row in rows]
        items = [Item(t, g, row.get("problem")) for t, g, row in zip(texts, golds, rows, strict=True)]
        open_ = [Verdict(None if text else False, "none", text or None, "not judged") for text in texts]
        verdicts = self._judge.judge(items, open_)
        return [Score.of(v.correct, answer=v.answer, reason=v.reason, rule=v.rule) for v in verdicts]

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_judge": None}
