"""The judge of answers: selects questions and turns replies into verdicts."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from lm_eval_ext.grading.golds import GoldError, shown
from lm_eval_ext.grading.judge.asker import Asker, Question
from lm_eval_ext.grading.judge.audit import DisagreementLog, sampled
from lm_eval_ext.grading.judge.config import JudgeConfig
from lm_eval_ext.grading.judge.prompt import load_prompt
from lm_eval_ext.grading.judge.usage import UNREACHABLE, JudgeUsage, Reply
from lm_eval_ext.grading.rulebook import rule
from lm_eval_ext.grading.types import VALUES_DIFFER, Item, Outcome, Verdict

_THOUGHT = re.compile(r"\A\s*<think>.*?</think>", re.DOTALL)
_WORD = re.compile(r"[\s*_`\"'.]*(YES|NO)[\s*_`\"'.!]*", re.IGNORECASE)
TEXTS = ("problem", "gold", "answer")
_EQUAL = {"yes": True, "no": False}
_SHOWN = 120
_PROBE = ("What is one half as a decimal?", "0.5", r"\frac{1}{2}")


def without_thought(reply: str) -> str:
    """The reply without a leading `<think>` block."""
    return _THOUGHT.sub("", reply)


def parse_reply(reply: str) -> str | None:
    """ "yes", "no", or None for anything else.

    Ignores case, emphasis, a full stop, and a leading `<think>` block.
    """
    word = _WORD.fullmatch(without_thought(reply))
    return None if word is None else word[1].lower()


class LlmJudge:
    """A language model as the fourth layer: `GraderConfig(judge=LlmJudge(JudgeConfig(model=...)))`.

    The judge decides answers that the layers leave undecided or find different; each distinct question is
    asked once. Without a usable reply (unreachable, over budget, malformed) the answer is undecided, even if
    the layers found it different. The judge never sees two closed values that differ, answers rejected for
    their size, responses without an answer, or empty golds. Thread safe.

    Args:
        config: the model and how to ask it.
        progress: label of a progress bar on stderr; None for no bar.

    Raises JudgeError if litellm is missing, the prompt does not exist, or a budget is set without a price.
    """

    def __init__(self, config: JudgeConfig, *, progress: str | None = None) -> None:
        self.config = config
        self.prompt = load_prompt(config.prompt, TEXTS, required=("gold", "answer"))
        self._asker = Asker(config, self.prompt, parse_reply, JudgeUsage(), progress)
        self._log = DisagreementLog(Path(config.log).expanduser()) if config.log else None

    @property
    def usage(self) -> JudgeUsage:
        """Questions asked so far and their cost."""
        return self._asker.usage

    def record(self, usage: JudgeUsage | None = None) -> dict[str, Any]:
        """The judge's model, prompt, settings and usage as JSON, for the results file."""
        settings = {"asks": self.config.asks, "audit": self.config.audit}
        return {**self._asker.record(), **settings, "usage": asdict(usage or self.usage)}

    def probe(self) -> str | None:
        """Asks one trivial question, bypassing the cache. None if the judge replied, else the reason.

        Raises JudgeError if the judge refuses, regardless of `on_refusal`.
        """
        return self._asker.probe(_PROBE)

    def judge(self, items: Sequence[Item], verdicts: Sequence[Verdict]) -> list[Verdict]:
        """The verdicts, with those that the judge decided replaced.

        Raises JudgeError if the judge refuses and `on_refusal` is "raise", or if the cache or log fails.
        """
        told = list(verdicts)
        asked = {i: q for i, q in enumerate(map(self._question, items, verdicts)) if q is not None}
        replies = self._asker.ask(list(asked.values()))
        for (i, question), reply in zip(asked.items(), replies, strict=True):
            stands = self._is_final(verdicts[i])
            if not stands:
                told[i] = self._verdict(verdicts[i], reply)
            disagrees = {verdicts[i].correct, _EQUAL.get(reply.kind)} == {True, False}
            if disagrees:
                self._log_disagreement(question, verdicts[i], reply)
            self._asker.count(JudgeUsage(audited=int(stands), disagreed=int(disagrees)))
        return told

    def _question(self, item: Item, verdict: Verdict) -> Question | None:
        """The question to ask about a verdict, or None."""
        if verdict.answer is None:
            return None
        try:
            gold = shown(item.gold)
        except GoldError:
            return None
        if self._is_final(verdict) and not self._is_audited(item.problem, gold, verdict):
            return None
        return item.problem, gold, verdict.answer

    def _is_final(self, verdict: Verdict) -> bool:
        """Whether the layers' verdict stands regardless of the judge."""
        if verdict.correct is False and verdict.layer == "symbolic":
            return self.config.asks == "undecided" or verdict.rule == VALUES_DIFFER
        return verdict.correct is not None

    def _is_audited(self, problem: str | None, gold: str, verdict: Verdict) -> bool:
        """Whether the verdict is audited. Equal strings and oversized answers never are."""
        if verdict.layer != "symbolic" and not (verdict.layer == "normalized" and verdict.correct):
            return False
        return sampled(self.config.audit, self.config.audit_seed, problem, gold, verdict.answer)

    @rule("judge.equal", "judge.different", "judge.no-reply")
    def _verdict(self, before: Verdict, reply: Reply) -> Verdict:
        """The verdict for a reply; its reason includes that of the earlier steps."""
        equal = _EQUAL.get(reply.kind)
        decided = {True: "judge.equal", False: "judge.different", None: "judge.no-reply"}[equal]
        reason = f"{self._reason(reply)}; the layers: {before.reason}"
        return Verdict.of(Outcome(equal, decided, reason), "judge", before.answer)

    def _reason(self, reply: Reply) -> str:
        if reply.kind in _EQUAL:
            return f"{self.config.model} says {reply.kind.upper()}"
        if reply.kind == "unreachable":
            return f"{UNREACHABLE}{reply.text}"
        if reply.kind != "malformed":
            return f"judge: {reply.text}"
        hint = f" (cut at max_tokens={self.config.max_tokens})" if reply.cut else ""
        return f"judge: neither YES nor NO: {reply.text[:_SHOWN]!r}{hint}"

    def _log_disagreement(self, question: Question, verdict: Verdict, reply: Reply) -> None:
        if self._log is None:
            return
        layers = {"correct": verdict.correct, "layer": verdict.layer, "reason": verdict.reason}
        judged = {"judge": reply.kind.upper(), "reply": reply.text}
        source = {"model": self.config.model, "prompt": self.config.prompt}
        texts = dict(zip(TEXTS, question, strict=True))
        self._log.write(self._asker.key(question), {**texts, **layers, **judged, **source})
