"""The judge: selects questions, asks those not in the cache, and turns replies into verdicts."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tqdm import tqdm

from lm_eval_ext.grading.golds import GoldError, shown
from lm_eval_ext.grading.judge.audit import DisagreementLog, sampled
from lm_eval_ext.grading.judge.cache import ReplyCache, cache_key
from lm_eval_ext.grading.judge.client import CallUsage, Client
from lm_eval_ext.grading.judge.config import TEMPERATURE, JudgeConfig
from lm_eval_ext.grading.judge.errors import BudgetExceeded, JudgeRefused, JudgeUnreachable, QuestionRejected
from lm_eval_ext.grading.judge.parse import parse_reply
from lm_eval_ext.grading.judge.prompt import load_prompt
from lm_eval_ext.grading.judge.usage import UNREACHABLE, JudgeUsage, Judgment, usage_of
from lm_eval_ext.grading.rulebook import rule
from lm_eval_ext.grading.types import VALUES_DIFFER, Item, Outcome, Verdict

_SHOWN = 120
_PROBE = ("What is one half as a decimal?", "0.5", r"\frac{1}{2}")


@dataclass(frozen=True)
class Question:
    """A question for the judge and the cache key of its reply."""

    problem: str | None
    gold: str
    answer: str
    key: str


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
        self.progress = progress
        self.prompt = load_prompt(config.prompt)
        self._client = Client(config)
        self._cache = ReplyCache(config.cache_folder)
        self._log = DisagreementLog(Path(config.log).expanduser()) if config.log else None
        self._lock = threading.Lock()
        self._usage = JudgeUsage()

    @property
    def usage(self) -> JudgeUsage:
        """Questions asked so far and their cost."""
        return self._usage

    def record(self, usage: JudgeUsage | None = None) -> dict[str, Any]:
        """The judge's model, prompt, settings and usage as JSON, for the results file."""
        return {
            "model": self.config.model,
            "prompt": self.config.prompt,
            "prompt_sha256": self.prompt.digest,
            "temperature": TEMPERATURE,
            "max_tokens": self.config.max_tokens,
            "asks": self.config.asks,
            "audit": self.config.audit,
            "usage": (usage or self.usage).as_dict(),
        }

    def probe(self) -> str | None:
        """Asks one trivial question, bypassing the cache. None if the judge replied, else the reason.

        Raises JudgeError if the judge refuses, regardless of `on_refusal`.
        """
        stop = threading.Event()
        try:
            self._client.ask(self.prompt.messages(*_PROBE), CallUsage(), stop)
        except (JudgeUnreachable, QuestionRejected) as error:
            return str(error)
        except BudgetExceeded:
            return "budget reached"
        return None

    def judge(self, items: Sequence[Item], verdicts: Sequence[Verdict]) -> list[Verdict]:
        """The verdicts, with those that the judge decided replaced.

        Raises JudgeError if the judge refuses and `on_refusal` is "raise", or if the cache or log fails.
        """
        told = list(verdicts)
        asked = {i: q for i, q in enumerate(map(self._question, items, verdicts)) if q is not None}
        fresh = {question.key: question for question in asked.values()}
        known = self._cache.get(fresh)
        for key in known:
            del fresh[key]
        judgments = {**known, **self._ask(list(fresh.values()))}
        for i, question in asked.items():
            judgment = judgments[question.key]
            standing = self._is_final(verdicts[i])
            told[i] = verdicts[i] if standing else self._verdict(verdicts[i], judgment)
            disagrees = self._compare(question, verdicts[i], judgment)
            if fresh.pop(question.key, None) is None:  # otherwise counted when asked
                self._count(usage_of(judgment, known=True))
            self._count(JudgeUsage(audited=int(standing), disagreed=int(disagrees)))
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
        return self._question_about(item.problem, gold, verdict.answer)

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

    def _question_about(self, problem: str | None, gold: str, answer: str) -> Question:
        parts = {
            "model": self.config.model,
            "base_url": self.config.base_url,
            "prompt": self.prompt.digest,
            "temperature": TEMPERATURE,
            "max_tokens": self.config.max_tokens,
            "problem": problem,
            "gold": gold,
            "answer": answer,
        }
        return Question(problem, gold, answer, cache_key(parts))

    def _ask(self, questions: Sequence[Question]) -> dict[str, Judgment]:
        """The judgments, by key. An interrupt cancels pending retries."""
        stop = threading.Event()
        bar = tqdm(total=len(questions), desc=self.progress, disable=self.progress is None, unit="question")
        with bar, ThreadPoolExecutor(self.config.concurrency) as pool:
            futures = {pool.submit(self._judgment, question, stop): question for question in questions}
            try:
                said = {}
                for future in as_completed(futures):
                    judgment = said[futures[future].key] = future.result()
                    self._count(usage_of(judgment, known=False))
                    bar.update()
                return said
            except BaseException:
                stop.set()
                pool.shutdown(wait=False, cancel_futures=True)
                raise

    def _judgment(self, question: Question, stop: threading.Event) -> Judgment:
        usage = CallUsage()
        try:
            judgment = self._reply(question, usage, stop)
        except JudgeUnreachable as error:
            return usage.judgment("unreachable", str(error))
        except QuestionRejected as error:
            return usage.judgment("rejected", str(error))
        except BudgetExceeded:
            return usage.judgment("over_budget", "budget reached")
        except JudgeRefused as error:
            if self.config.on_refusal == "raise":
                raise
            return usage.judgment("rejected", str(error))
        self._cache.put(question.key, judgment)
        return judgment

    def _reply(self, question: Question, usage: CallUsage, stop: threading.Event) -> Judgment:
        """Asks for YES or NO, and once more if the first reply is neither."""
        text, cut = "", False
        for again in (False, True):
            messages = self.prompt.messages(question.problem, question.gold, question.answer, again=again)
            reply = self._client.ask(messages, usage, stop)
            text, cut, equal = reply.text, reply.cut, parse_reply(reply.text)
            if equal is not None:
                return usage.judgment("yes" if equal else "no", text)
        return usage.judgment("malformed", text, cut)

    @rule("judge.equal", "judge.different", "judge.no-reply")
    def _verdict(self, before: Verdict, judgment: Judgment) -> Verdict:
        """The verdict for a judgment; its reason includes that of the earlier steps."""
        decided = {True: "judge.equal", False: "judge.different", None: "judge.no-reply"}[judgment.equal]
        reason = f"{self._reason(judgment)}; the layers: {before.reason}"
        return Verdict.of(Outcome(judgment.equal, decided, reason), "judge", before.answer)

    def _reason(self, judgment: Judgment) -> str:
        if judgment.equal is not None:
            return f"{self.config.model} says {judgment.kind.upper()}"
        if judgment.kind == "unreachable":
            return f"{UNREACHABLE}{judgment.text}"
        if judgment.kind != "malformed":
            return f"judge: {judgment.text}"
        hint = f" (cut at max_tokens={self.config.max_tokens})" if judgment.cut else ""
        return f"judge: neither YES nor NO: {judgment.text[:_SHOWN]!r}{hint}"

    def _compare(self, question: Question, verdict: Verdict, judgment: Judgment) -> bool:
        """Logs a disagreement with a verdict of the layers; returns whether there is one."""
        if None in (verdict.correct, judgment.equal) or verdict.correct == judgment.equal:
            return False
        if self._log is not None:
            fields = {name: getattr(question, name) for name in ("problem", "gold", "answer")}
            layers = {"correct": verdict.correct, "layer": verdict.layer, "reason": verdict.reason}
            judged = {"judge": judgment.kind.upper(), "reply": judgment.text}
            source = {"model": self.config.model, "prompt": self.config.prompt}
            self._log.write(question.key, {**fields, **layers, **judged, **source})
        return True

    def _count(self, usage: JudgeUsage) -> None:
        with self._lock:
            self._usage += usage
