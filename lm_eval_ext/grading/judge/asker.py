"""Ask one model many questions of one kind: from the cache, else at once, and count what it costs."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import Any, Generic, TypeVar

from tqdm import tqdm

from lm_eval_ext.grading.judge.cache import ReplyCache, cache_key
from lm_eval_ext.grading.judge.client import Client
from lm_eval_ext.grading.judge.config import TEMPERATURE, ClientConfig
from lm_eval_ext.grading.judge.errors import JudgeRefused, NoReply
from lm_eval_ext.grading.judge.prompt import Prompt
from lm_eval_ext.grading.judge.usage import CallUsage, Reply, Usage

Question = tuple[str | None, ...]
"""The texts that the prompt quotes, in its order."""
AnyUsage = TypeVar("AnyUsage", bound=Usage)


class Asker(Generic[AnyUsage]):
    """Asks each distinct question once. Thread safe.

    Args:
        config: the model and how to ask it.
        prompt: of all questions.
        parse: a reply to what it says, the name of a count in `usage`; None if it is malformed.
        usage: the counts to begin with.
        progress: label of a progress bar on stderr; None for no bar.

    Attributes:
        usage: questions asked so far and their cost.

    Raises JudgeError if litellm is missing, or a budget is set without a price.
    """

    def __init__(
        self,
        config: ClientConfig,
        prompt: Prompt,
        parse: Callable[[str], str | None],
        usage: AnyUsage,
        progress: str | None = None,
    ) -> None:
        self.usage = usage
        self.client = Client(config)
        self._config, self._prompt, self._parse, self._progress = config, prompt, parse, progress
        self._cache = ReplyCache(config.cache_folder, type(config))
        self._lock = threading.Lock()

    def ask(self, questions: Sequence[Question]) -> list[Reply]:
        """One reply per question. An interrupt cancels pending retries.

        Raises JudgeError if the model refuses and `on_refusal` is "raise", or if the cache fails.
        """
        keys = [self.key(question) for question in questions]
        distinct = dict(zip(keys, questions, strict=True))
        replies = self._cache.get(distinct)
        fresh = {key: question for key, question in distinct.items() if key not in replies}
        replies.update(self._ask_all(fresh))
        for key in keys:
            if fresh.pop(key, None) is None:  # otherwise counted when asked
                self._count_reply(replies[key], "cached")
        return [replies[key] for key in keys]

    def probe(self, question: Question) -> str | None:
        """Asks one question, bypassing the cache and the counts. None if there is a reply, else the reason.

        Raises JudgeError if the model refuses, regardless of `on_refusal`.
        """
        try:
            self.client.ask(self._prompt.messages(*question), lambda usage: None, threading.Event())
        except NoReply as error:
            return str(error)
        return None

    def key(self, question: Question) -> str:
        """The cache key of a question's reply."""
        return cache_key(
            {
                "model": self._config.model,
                "base_url": self._config.base_url,
                "prompt": self._prompt.digest,
                "temperature": TEMPERATURE,
                "max_tokens": self._config.max_tokens,
                **dict(zip(self._prompt.texts, question, strict=True)),
            }
        )

    def count(self, usage: CallUsage) -> None:
        with self._lock:
            self.usage += usage

    def record(self) -> dict[str, Any]:
        """The model, the prompt and the limit of a reply as JSON, for the results file."""
        return {
            "model": self._config.model,
            "prompt": self._prompt.name,
            "prompt_sha256": self._prompt.digest,
            "temperature": TEMPERATURE,
            "max_tokens": self._config.max_tokens,
        }

    def _ask_all(self, questions: Mapping[str, Question]) -> dict[str, Reply]:
        stop = threading.Event()
        bar = tqdm(total=len(questions), desc=self._progress, disable=self._progress is None, unit="question")
        with bar, ThreadPoolExecutor(self._config.concurrency) as pool:
            futures = {pool.submit(self._reply, q, key, stop): key for key, q in questions.items()}
            try:
                replies = {}
                for future in as_completed(futures):
                    reply = replies[futures[future]] = future.result()
                    self._count_reply(reply, "asked")
                    bar.update()
                return replies
            except BaseException:
                stop.set()
                pool.shutdown(wait=False, cancel_futures=True)
                raise

    def _reply(self, question: Question, key: str, stop: threading.Event) -> Reply:
        try:
            reply = self._parsed(question, stop)
        except NoReply as error:
            return Reply(error.kind, str(error))
        except JudgeRefused as error:
            if self._config.on_refusal == "raise":
                raise
            return Reply("rejected", str(error))
        self._cache.put(key, reply)
        return reply

    def _parsed(self, question: Question, stop: threading.Event) -> Reply:
        """Asks, and once more if the first reply is malformed."""
        for again in (False, True):
            messages = self._prompt.messages(*question, again=again)
            said = self.client.ask(messages, self.count, stop)
            if (kind := self._parse(said.text)) is not None:
                return Reply(kind, said.text)
        return Reply("malformed", said.text, said.cut)

    def _count_reply(self, reply: Reply, source: str) -> None:
        """Counts a reply by its kind, and its question as "asked" or "cached"."""
        counts: dict[str, Any] = {reply.kind: 1, source: int(reply.replied)}
        self.count(type(self.usage)(**counts))
