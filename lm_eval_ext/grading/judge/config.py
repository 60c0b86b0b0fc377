"""Settings of the judge and their validation."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal

from lm_eval_ext.grading.judge.errors import JudgeError
from lm_eval_ext.redaction import redacted_url

TEMPERATURE = 0.0
_LEAST = {"max_tokens": 1, "concurrency": 1, "give_up_after": 1, "retries": 0, "backoff_s": 0, "rest_s": 0}


@dataclass(frozen=True)
class JudgeConfig:
    """Settings of one judge.

    Attributes:
        model: litellm's name: "gpt-4o-mini", "anthropic/...", "gemini/..."; with `base_url`, the name
            that the server uses.
        base_url: address of an OpenAI-compatible server, such as vLLM; None: the provider's own.
        api_key_env: environment variable with the key; None: the provider's usual variable, or no key with
            `base_url`.
        prompt: name of a packaged prompt, or a folder with system.txt, user.txt and again.txt.
        max_tokens: limit for a reply. A judge that thinks before it replies needs thousands.
        concurrency: requests in flight.
        requests_per_minute: maximum rate; None: no limit.
        timeout_s: seconds for one request.
        retries: retries after a transient failure (429, 5xx, timeout, no connection).
        backoff_s: seconds before the first retry; doubles each time.
        give_up_after: unreachable questions in a row after which the judge counts as down.
        rest_s: seconds before a judge that is down is tried again.
        cache: folder of the cache; None: `$XDG_CACHE_HOME/lm-eval-ext/judge`.
        price: USD per million tokens, (prompt, completion); None: litellm's price, if it has one.
        budget_usd: maximum total cost; None: no limit.
        asks: "unequal": ask about different and undecided answers; "undecided": only about undecided ones.
        audit: share of the layers' verdicts that the judge checks. They stand; see `log`.
        audit_seed: selects another sample.
        log: JSON-lines file of disagreements between the layers and the judge.
        on_refusal: if the judge refuses every question (wrong key, unknown model), "raise" JudgeError or
            leave the answers "undecided".
    """

    model: str
    base_url: str | None = None
    api_key_env: str | None = None
    prompt: str = "equivalence-v1"
    max_tokens: int = 64
    concurrency: int = 8
    requests_per_minute: float | None = None
    timeout_s: float = 60.0
    retries: int = 4
    backoff_s: float = 1.0
    give_up_after: int = 3
    rest_s: float = 60.0
    cache: str | None = None
    price: tuple[float, float] | None = None
    budget_usd: float | None = None
    asks: Literal["unequal", "undecided"] = "unequal"
    audit: float = 0.0
    audit_seed: int = 0
    log: str | None = None
    on_refusal: Literal["raise", "undecided"] = "raise"

    def __post_init__(self) -> None:
        if not (isinstance(self.model, str) and self.model.strip()):
            raise JudgeError(f"judge: model must be a name, got {self.model!r}")
        self._check_numbers()
        self._check_texts()

    def _check_numbers(self) -> None:
        for name, least in _LEAST.items():
            value = getattr(self, name)
            if not (isinstance(value, int | float) and least <= value < math.inf):
                raise JudgeError(f"judge: {name} must be at least {least}, got {value!r}")
        for name in ("timeout_s", "requests_per_minute", "budget_usd"):
            value = getattr(self, name)
            if value is None and name != "timeout_s":
                continue
            if not (isinstance(value, int | float) and 0 < value < math.inf):
                raise JudgeError(f"judge: {name} must be a positive number, got {value!r}")
        if self.price is not None and not (len(self.price) == 2 and 0 <= min(self.price) < math.inf):
            raise JudgeError(
                f"judge: price must be two numbers, USD per million prompt and completion tokens, "
                f"got {self.price}"
            )
        if not (isinstance(self.audit, int | float) and 0 <= self.audit <= 1):
            raise JudgeError(f"judge: audit must be a share between 0 and 1, got {self.audit!r}")

    def _check_texts(self) -> None:
        for name, known in {"asks": ("unequal", "undecided"), "on_refusal": ("raise", "undecided")}.items():
            if getattr(self, name) not in known:
                raise JudgeError(f"judge: {name} must be {' or '.join(known)}, got {getattr(self, name)!r}")
        for name in ("base_url", "api_key_env", "prompt", "cache", "log"):
            if not isinstance(getattr(self, name), str | None):
                raise JudgeError(f"judge: {name} must be text, got {getattr(self, name)!r}")
        if self.base_url is not None and not self.base_url.startswith(("http://", "https://")):
            raise JudgeError(
                f"judge: base_url must begin with http:// or https://, like http://localhost:8000/v1; "
                f"got {redacted_url(self.base_url)!r}"
            )

    @property
    def cache_folder(self) -> Path:
        """Where replies are kept."""
        if self.cache is not None:
            return Path(self.cache).expanduser()
        home = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
        return Path(home).expanduser() / "lm-eval-ext" / "judge"

    @classmethod
    def from_settings(cls, settings: str | Mapping[str, Any]) -> JudgeConfig:
        """Builds the config from YAML, JSON or command-line settings; a string names the model.

        Raises JudgeError for an unknown setting or an invalid value.
        """
        given: dict[str, Any] = {"model": settings} if isinstance(settings, str) else dict(settings)
        known = [field.name for field in fields(cls)]
        for name in given:
            if name not in known:
                raise JudgeError(f"judge: unknown setting {name!r}; the settings are {', '.join(known)}")
        if "model" not in given:
            raise JudgeError(f"judge: no model among the settings {', '.join(given) or '(none)'}; name one")
        try:
            if given.get("price") is not None:
                given["price"] = read_price(given["price"])
            return cls(**given)
        except TypeError as error:
            raise JudgeError(f"judge: {error}") from None


def read_price(price: Any) -> tuple[float, float]:
    """The two numbers of "0.15,0.6" or [0.15, 0.6]. Raises JudgeError for anything else."""
    parts = price.split(",") if isinstance(price, str) else price
    try:
        prompt, completion = (float(part) for part in parts)
    except (TypeError, ValueError):
        raise JudgeError(
            f"judge: price must be USD per million prompt and completion tokens, like 0.15,0.6; got {price!r}"
        ) from None
    return prompt, completion
