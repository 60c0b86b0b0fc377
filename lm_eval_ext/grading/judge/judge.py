"""The judge: chooses what to ask, asks what it does not know yet, and makes verdicts of the replies."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tqdm import tqdm

from lm_eval_ext.grading.golds import GoldError, shown
from lm_eval_ext.grading.judge.audit import DisagreementLog, chosen
from lm_eval_ext.grading.judge.budget import OverBudget
from lm_eval_ext.grading.judge.cache import Cache, key_of
from lm_eval_ext.grading.judge.client import Bill, Client
from lm_eval_ext.grading.judge.config import TEMPERATURE, JudgeConfig
from lm_eval_ext.grading.judge.pace import Refused, Rejected, Unreachable
from lm_eval_ext.grading.judge.parse import parse
from lm_eval_ext.grading.judge.prompt import load
from lm_eval_ext.grading.judge.usage import UNREACHABLE, JudgeUsage, Opinion, used
from lm_eval_ext.grading.rulebook import rule
from lm_eval_ext.grading.types import VALUES_DIFFER, Item, Outcome, Verdict

_SHOWN = 120
_TRIAL = ("What is one half as a decimal?", "0.5", r"\frac{1}{2}")


@dataclass(frozen=True)
class Question:
    """What the judge is asked, and the key under which its reply is kept."""

    problem: str | None
    gold: str
    answer: str
    key: str


class LlmJudge:
    """A language model as the fourth layer: `GraderConfig(judge=LlmJudge(JudgeConfig(model=...)))`.

    It is asked about answers that the layers leave undecided or find different, each distinct question once;
    what it says decides. Where it does not say anything (unreachable, over budget, malformed), the answer is
    undecided, what the layers found different too: with a judge their "different" is a question, not a
    verdict. Two closed values that differ, answers rejected for their size, responses without an answer and
    golds that are empty do not reach it. Thread safe.

    Args:
        config: which model, and how to ask.
        progress: label of a progress bar on stderr; None for no bar.

    Raises JudgeError where the config cannot work: litellm is missing, no price for a budget, no such prompt.
    """

    def __init__(self, config: JudgeConfig, *, progress: str | None = None) -> None:
        self.config = config
        self.progress = progress
        self.prompt = load(config.prompt)
        self._client = Client(config)
        self._cache = Cache(config.cache_folder)
        self._log = DisagreementLog(Path(config.log).expanduser()) if config.log else None
        self._lock = threading.Lock()
        self._usage = JudgeUsage()

    @property
    def usage(self) -> JudgeUsage:
        """What was asked so far, and what it cost."""
        return self._usage

    def record(self, usage: JudgeUsage | None = None) -> dict[str, Any]:
        """What results should say about this judge, as JSON: model, prompt, settings, usage."""
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
        """Asks one trivial question, past the cache. None if the judge replied, else why it did not.

        Raises JudgeError if it refuses to be asked, whatever `on_refusal` says: nothing is at stake yet.
        """
        stop = threading.Event()
        try:
            self._client.ask(self.prompt.messages(*_TRIAL), Bill(), stop)
        except (Unreachable, Rejected) as error:
            return str(error)
        except OverBudget:
            return "budget reached"
        return None

    def judge(self, items: Sequence[Item], verdicts: Sequence[Verdict]) -> list[Verdict]:
        """The verdicts, with the judge's in place of those it was asked for.

        Raises JudgeError where it refuses to be asked and the config says so, or where cache or log fail.
        """
        told = list(verdicts)
        asked = {i: q for i, q in enumerate(map(self._question, items, verdicts)) if q is not None}
        fresh = {question.key: question for question in asked.values()}
        known = self._cache.find(fresh)
        for key in known:
            del fresh[key]
        opinions = {**known, **self._ask(list(fresh.values()))}
        for i, question in asked.items():
            opinion = opinions[question.key]
            standing = self._stands(verdicts[i])
            told[i] = verdicts[i] if standing else self._verdict(verdicts[i], opinion)
            disagrees = self._compare(question, verdicts[i], opinion)
            if fresh.pop(question.key, None) is None:  # else it was counted when it was asked
                self._count(used(opinion, known=True))
            self._count(JudgeUsage(audited=int(standing), disagreed=int(disagrees)))
        return told

    def _question(self, item: Item, verdict: Verdict) -> Question | None:
        """The question to ask about a verdict, None if there is none."""
        if verdict.answer is None:
            return None
        try:
            gold = shown(item.gold)
        except GoldError:
            return None
        if self._stands(verdict) and not self._is_audited(item.problem, gold, verdict):
            return None
        return self._keyed(item.problem, gold, verdict.answer)

    def _stands(self, verdict: Verdict) -> bool:
        """Whether the layers' verdict holds whatever the judge says."""
        if verdict.correct is False and verdict.layer == "symbolic":
            return self.config.asks == "undecided" or verdict.rule == VALUES_DIFFER
        return verdict.correct is not None

    def _is_audited(self, problem: str | None, gold: str, verdict: Verdict) -> bool:
        """Equal strings need no audit, and what is absurdly long is not sent anywhere."""
        if verdict.layer != "symbolic" and not (verdict.layer == "normalized" and verdict.correct):
            return False
        return chosen(self.config.audit, self.config.audit_seed, problem, gold, verdict.answer)

    def _keyed(self, problem: str | None, gold: str, answer: str) -> Question:
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
        return Question(problem, gold, answer, key_of(parts))

    def _ask(self, questions: Sequence[Question]) -> dict[str, Opinion]:
        """What the judge says, by key. An interrupt ends it without the retries that are due."""
        stop = threading.Event()
        bar = tqdm(total=len(questions), desc=self.progress, disable=self.progress is None, unit="question")
        with bar, ThreadPoolExecutor(self.config.concurrency) as pool:
            futures = {pool.submit(self._opinion, question, stop): question for question in questions}
            try:
                said = {}
                for future in as_completed(futures):
                    opinion = said[futures[future].key] = future.result()
                    self._count(used(opinion, known=False))
                    bar.update()
                return said
            except BaseException:
                stop.set()
                pool.shutdown(wait=False, cancel_futures=True)
                raise

    def _opinion(self, question: Question, stop: threading.Event) -> Opinion:
        bill = Bill()
        try:
            opinion = self._reply(question, bill, stop)
        except Unreachable as error:
            return bill.opinion("unreachable", str(error))
        except Rejected as error:
            return bill.opinion("rejected", str(error))
        except OverBudget:
            return bill.opinion("over_budget", "budget reached")
        except Refused as error:
            if self.config.on_refusal == "raise":
                raise
            return bill.opinion("rejected", str(error))
        self._cache.keep(question.key, opinion)
        return opinion

    def _reply(self, question: Question, bill: Bill, stop: threading.Event) -> Opinion:
        """YES or NO, asked for once more where the first reply is neither."""
        text, cut = "", False
        for again in (False, True):
            messages = self.prompt.messages(question.problem, question.gold, question.answer, again=again)
            reply = self._client.ask(messages, bill, stop)
            text, cut, equal = reply.text, reply.cut, parse(reply.text)
            if equal is not None:
                return bill.opinion("yes" if equal else "no", text)
        return bill.opinion("malformed", text, cut)

    @rule("judge.equal", "judge.different", "judge.no-reply")
    def _verdict(self, before: Verdict, opinion: Opinion) -> Verdict:
        """The verdict that an opinion makes; its reason keeps that of the steps before."""
        decided = {True: "judge.equal", False: "judge.different", None: "judge.no-reply"}[opinion.equal]
        reason = f"{self._reason(opinion)}; the layers: {before.reason}"
        return Verdict.of(Outcome(opinion.equal, decided, reason), "judge", before.answer)

    def _reason(self, opinion: Opinion) -> str:
        if opinion.equal is not None:
            return f"{self.config.model} says {opinion.kind.upper()}"
        if opinion.kind == "unreachable":
            return f"{UNREACHABLE}{opinion.text}"
        if opinion.kind != "malformed":
            return f"judge: {opinion.text}"
        hint = f" (cut at max_tokens={self.config.max_tokens})" if opinion.cut else ""
        return f"judge: neither YES nor NO: {opinion.text[:_SHOWN]!r}{hint}"

    def _compare(self, question: Question, verdict: Verdict, opinion: Opinion) -> bool:
        """Whether the layers had decided and the judge disagrees, which goes to the log."""
        if None in (verdict.correct, opinion.equal) or verdict.correct == opinion.equal:
            return False
        if self._log is not None:
            fields = {name: getattr(question, name) for name in ("problem", "gold", "answer")}
            layers = {"correct": verdict.correct, "layer": verdict.layer, "reason": verdict.reason}
            judged = {"judge": opinion.kind.upper(), "reply": opinion.text}
            source = {"model": self.config.model, "prompt": self.config.prompt}
            self._log.write(question.key, {**fields, **layers, **judged, **source})
        return True

    def _count(self, usage: JudgeUsage) -> None:
        with self._lock:
            self._usage += usage
