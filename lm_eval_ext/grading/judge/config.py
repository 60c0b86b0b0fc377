"""How to ask the judge: everything that can be set, and the error for what cannot be."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal

TEMPERATURE = 0.0


class JudgeError(ValueError):
    """The judge cannot be used as it is set up: what was received, and what to do."""


@dataclass(frozen=True)
class JudgeConfig:
    """One judge.

    Attributes:
        model: as litellm names it: "gpt-4o-mini", "anthropic/...", "gemini/..."; with `base_url` the name
            under which the server offers it.
        base_url: of an OpenAI-compatible server, vLLM for example; None: the provider's own.
        api_key_env: environment variable with the key; None: the provider's usual one, and no key with
            `base_url`.
        prompt: name of a packaged prompt, or a folder with system.txt, user.txt and again.txt.
        max_tokens: of a reply. A judge that thinks before it replies needs thousands.
        concurrency: questions under way at once.
        requests_per_minute: at most; None: no limit.
        timeout_s: of one request.
        retries: further attempts where a failure may pass (429, 5xx, timeout, no connection).
        backoff_s: wait before the first retry, in seconds; it doubles each time.
        give_up_after: questions in a row that found no judge until it is taken for dead.
        rest_s: seconds until a judge taken for dead is tried again.
        cache: folder of the cache; None: `$XDG_CACHE_HOME/lm-eval-ext/judge`.
        price: USD per million tokens, (prompt, completion); None: litellm's price list where it has one.
        budget_usd: what this judge may cost in all; None: no limit.
        asks: "unequal": also about what the layers find different; "undecided": only about what they leave.
        audit: share of the layers' own verdicts that is put to the judge too. They stand; see `log`.
        audit_seed: chooses another sample.
        log: file that gets a JSON line for every disagreement between the layers and the judge.
        on_refusal: a judge that refuses to be asked at all (wrong key, unknown model) raises JudgeError, or
            leaves what it was not asked undecided.
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
        assert isinstance(self.model, str) and self.model.strip(), f"model must be a name, got {self.model!r}"
        for name in ("max_tokens", "concurrency", "give_up_after"):
            assert getattr(self, name) >= 1, f"{name} must be at least 1, got {getattr(self, name)}"
        for name in ("retries", "backoff_s", "rest_s"):
            assert getattr(self, name) >= 0, f"{name} must not be negative, got {getattr(self, name)}"
        for name in ("timeout_s", "requests_per_minute", "budget_usd"):
            value = getattr(self, name)
            assert value is None or value > 0, f"{name} must be positive, got {value}"
        assert self.price is None or (len(self.price) == 2 and min(self.price) >= 0), (
            f"price must be two numbers, USD per million prompt and completion tokens, got {self.price}"
        )
        assert 0 <= self.audit <= 1, f"audit must be a share between 0 and 1, got {self.audit}"
        assert self.asks in ("unequal", "undecided"), f"asks must be unequal or undecided, got {self.asks!r}"
        assert self.on_refusal in ("raise", "undecided"), (
            f"on_refusal must be raise or undecided, got {self.on_refusal!r}"
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
        """The config that a YAML file, JSON or a command line describes; a string names the model.

        Raises JudgeError on unknown names and values that cannot be.
        """
        given: dict[str, Any] = {"model": settings} if isinstance(settings, str) else dict(settings)
        known = [field.name for field in fields(cls)]
        for name in given:
            if name not in known:
                raise JudgeError(f"judge: there is no setting {name!r}; the settings are {', '.join(known)}")
        if "model" not in given:
            raise JudgeError(f"judge: no model among the settings {', '.join(given) or '(none)'}; name one")
        try:
            if given.get("price") is not None:
                given["price"] = read_price(given["price"])
            return cls(**given)
        except (AssertionError, TypeError) as error:
            raise JudgeError(f"judge: {error}") from None


def read_price(price: Any) -> tuple[float, float]:
    """The two numbers of "0.15,0.6" or [0.15, 0.6]. Raises JudgeError if it is something else."""
    parts = price.split(",") if isinstance(price, str) else price
    try:
        prompt, completion = (float(part) for part in parts)
    except (TypeError, ValueError):
        raise JudgeError(
            f"judge: price must be USD per million prompt and completion tokens, like 0.15,0.6; got {price!r}"
        ) from None
    return prompt, completion
