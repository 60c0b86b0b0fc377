"""Calls through litellm: rate-limited, within the budget, and retried only after transient failures."""

from __future__ import annotations

import os
import random
import re
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from lm_eval_ext.grading.judge.budget import Budget
from lm_eval_ext.grading.judge.config import TEMPERATURE, ClientConfig
from lm_eval_ext.grading.judge.errors import JudgeError, JudgeUnreachable, QuestionRejected
from lm_eval_ext.grading.judge.limits import CircuitBreaker, RateLimiter
from lm_eval_ext.grading.judge.prompt import Message
from lm_eval_ext.grading.judge.provider import Provider
from lm_eval_ext.grading.judge.usage import CallUsage
from lm_eval_ext.redaction import HIDDEN, redacted_url

_REFUSED_STATUSES = {401, 402, 403, 404}
_REFUSED_MESSAGE = re.compile(
    r"(missing|invalid|incorrect|wrong|no|unable to locate)\b.{0,40}\b(credentials?|api[ _-]?keys?)\b"
    r"|\b(credentials?|api[ _-]?keys?)\b.{0,60}\b(missing|invalid|incorrect|must be set)\b"
    r"|\b(credentials?|api[ _-]?keys?)\b.{0,60}\bnot (valid|set|found)\b"
    r"|invalid authentication|illegal header value|pip install"
    r"|\bmodel\b.{0,80}\b(does not exist|not found|not (available|supported)|unknown)\b|\bunknown model\b",
    re.IGNORECASE,
)
"""Messages that mean every question will be refused, whatever the status code."""
_TRANSIENT = {408, 409, 425, 429}
_MAX_WAIT_S = 60.0
_SHOWN = 300
Count = Callable[[CallUsage], None]
"""Adds to the usage so far."""


@dataclass(frozen=True)
class Completion:
    """The model's output; `cut`: it reached max_tokens."""

    text: str
    cut: bool


class _TransientError(Exception):
    """A failure worth retrying.

    Attributes:
        after_s: seconds until the retry, if the server names them.
        charged: whether the provider may have processed the request, and so charged for it.
    """

    def __init__(self, why: str, after_s: float | None, charged: bool) -> None:
        super().__init__(why)
        self.after_s = after_s
        self.charged = charged


class Client:
    """One model behind litellm, which is imported on the first call because that takes seconds. Thread safe.

    Raises JudgeError if litellm is missing, or a budget is set and no price is known.
    """

    def __init__(self, config: ClientConfig) -> None:
        if find_spec("litellm") is None:
            raise JudgeError(f"{config.role}: litellm is not installed: pip install 'lm-eval-ext[judge]'")
        self.config = config
        self._rate_limiter = RateLimiter(config.requests_per_minute)
        self._breaker = CircuitBreaker(config.give_up_after, config.rest_s)
        self._budget = Budget(config.budget_usd)
        self._loading = threading.Lock()
        self._loaded: Provider | None = None
        self._has_key = False
        if config.api_key_env is not None and not re.fullmatch(r"[A-Za-z_]\w*", config.api_key_env):
            raise JudgeError(
                f"{config.role}: api_key_env is the name of an environment variable, not the key itself"
            )
        if config.budget_usd is not None:
            self._check_price()

    def ask(self, messages: Sequence[Message], count: Count, stop: threading.Event) -> Completion:
        """The reply to `messages`; counts each request and its cost.

        Raises JudgeUnreachable, QuestionRejected, BudgetExceeded or JudgeRefused. After JudgeRefused, every
        later call raises it too.
        """
        why = ""
        for attempt in range(self.config.retries + 1):
            self._breaker.before_call(first=attempt == 0)
            try:
                reply = self._attempt(messages, count, stop)
            except _TransientError as failure:
                why = str(failure)
                if attempt < self.config.retries:
                    stop.wait(self._wait_s(attempt, failure))
                if stop.is_set():
                    raise JudgeUnreachable("interrupted") from None
            else:
                self._breaker.record_success()
                return reply
        self._breaker.record_failure(why)
        raise JudgeUnreachable(why)

    def _attempt(self, messages: Sequence[Message], count: Count, stop: threading.Event) -> Completion:
        provider = self._load()
        self._check_key(provider)
        price = provider.price
        worst = price.upper_bound(messages, self.config.max_tokens) if price else 0.0
        self._budget.reserve(worst)
        cost = 0.0
        try:
            self._rate_limiter.wait(stop)
            count(CallUsage(calls=1))
            response = self._send(provider, messages)
            tokens = _tokens(response)
            known = provider.cost(response, tokens, worst)
            cost = known or 0.0
            count(CallUsage(0, *tokens, known))
            if not response.choices:
                return Completion("", cut=False)
            choice = response.choices[0]
            return Completion(choice.message.content or "", choice.finish_reason == "length")
        except _TransientError as failure:
            cost = worst if failure.charged else 0.0
            raise
        finally:
            self._budget.settle(worst, cost)

    def _send(self, provider: Provider, messages: Sequence[Message]) -> Any:
        try:
            return provider.litellm.completion(
                model=provider.model,
                messages=list(messages),
                temperature=TEMPERATURE,
                max_tokens=self.config.max_tokens,
                timeout=self.config.timeout_s,
                num_retries=0,
                max_retries=0,
                drop_params=True,
                **({"extra_body": self.config.extra_body} if self.config.extra_body else {}),
                **self._address(),
            )
        except import_module("openai").OpenAIError as error:  # base class of litellm's errors
            raise self._classified(error) from error

    def _classified(self, error: Any) -> Exception:
        """The judge error for a litellm error: refused, transient or rejected."""
        status = getattr(error, "status_code", None) or 500
        key = os.environ.get(self.config.api_key_env or "", "") or HIDDEN
        why = redacted_url(str(error).strip().split("\n")[0][:_SHOWN]).replace(key, HIDDEN)
        if status in _REFUSED_STATUSES or _REFUSED_MESSAGE.search(why):
            where = redacted_url(self.config.base_url or "its provider")
            return self._breaker.refuse_all(
                f"{self.config.role} {self.config.model} at {where} refused the request ({status}): {why}; "
                f"check the model's name, the address and the key"
            )
        if status in _TRANSIENT or status >= 500:
            return _TransientError(why, _retry_after(error), charged=status == 408)
        self._breaker.record_rejection(f"{self.config.role} {self.config.model}: {why}")
        return QuestionRejected(why)

    def _address(self) -> dict[str, Any]:
        """Address and key. A provider's key is never sent to another server unless `api_key_env` names it."""
        address: dict[str, Any] = {}
        if self.config.base_url is not None:
            address["api_base"] = self.config.base_url.rstrip("/").removesuffix("/chat/completions")
            address["api_key"] = "none"
        if self.config.api_key_env is not None:
            key = os.environ.get(self.config.api_key_env, "").strip()
            if not key:
                raise self._breaker.refuse_all(
                    f"{self.config.role}: {self.config.api_key_env} is not set; set it to the API key"
                )
            address["api_key"] = key
        return address

    def _wait_s(self, attempt: int, failure: _TransientError) -> float:
        if failure.after_s is not None:
            return min(failure.after_s, _MAX_WAIT_S)
        return float(min(self.config.backoff_s * 2**attempt, _MAX_WAIT_S) * random.uniform(0.75, 1.25))

    def _check_key(self, provider: Provider) -> None:
        with self._loading:
            missing = [] if self._has_key else provider.missing_keys()
            self._has_key = not missing
        if missing:
            raise self._breaker.refuse_all(
                f"{self.config.role}: no key for {self.config.model}: set {' or '.join(missing)}, or name "
                f"the variable that holds it with {self.config.option('api-key-env')}"
            )

    def _check_price(self) -> None:
        config = self.config
        if config.price is None and (config.base_url is not None or self._load().price is None):
            raise JudgeError(
                f"{config.role}: a budget of ${config.budget_usd:g}, but no price is known for "
                f"{config.model}; give it in USD per million prompt and completion tokens: "
                f"{config.option('price')} 0.15,0.6"
            )

    def _load(self) -> Provider:
        with self._loading:
            if self._loaded is None:
                self._loaded = Provider.load(self.config)
            return self._loaded


def _tokens(response: Any) -> tuple[int, int]:
    usage = getattr(response, "usage", None)
    return getattr(usage, "prompt_tokens", 0) or 0, getattr(usage, "completion_tokens", 0) or 0


def _retry_after(error: Any) -> float | None:
    headers = getattr(error, "litellm_response_headers", None) or {}
    try:
        return max(0.0, float(headers.get("retry-after", "")))
    except ValueError:  # absent, or a date
        return None
