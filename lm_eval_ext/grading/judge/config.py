"""Settings of the judge and their validation."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, TypeVar

from annotated_types import Ge, Gt, Le
from pydantic import BeforeValidator, ConfigDict, StringConstraints, ValidationError
from pydantic.dataclasses import dataclass

from lm_eval_ext.grading.judge.errors import JudgeError
from lm_eval_ext.redaction import redacted_url

TEMPERATURE = 0.0
CHECKS = ConfigDict(allow_inf_nan=False, hide_input_in_errors=True)  # an address may hold a password
AnyConfig = TypeVar("AnyConfig", bound="ClientConfig")
_HINTS = {
    "base_url": ", like http://localhost:8000/v1",
    "price": "; give USD per million prompt and completion tokens, like 0.15,0.6",
}


def _split(price: Any) -> Any:
    """The command line gives a price as text."""
    return price.split(",") if isinstance(price, str) else price


Name = Annotated[str, StringConstraints(pattern=r"\S")]
Url = Annotated[str, StringConstraints(pattern="^https?://")]
Count = Annotated[int, Ge(1)]
Positive = Annotated[float, Gt(0)]
NotNegative = Annotated[float, Ge(0)]
Share = Annotated[float, Ge(0), Le(1)]
Prices = Annotated[tuple[NotNegative, NotNegative], BeforeValidator(_split)]


@dataclass(frozen=True, config=CHECKS)
class ClientConfig:
    """A model and how to ask it, whatever it is asked. Raises ValueError for an invalid value.

    Attributes:
        model: litellm's name: "gpt-4o-mini", "anthropic/...", "gemini/..."; with `base_url`, the name
            that the server uses.
        base_url: address of an OpenAI-compatible server, such as vLLM: http://localhost:8000/v1; None: the
            provider's own.
        api_key_env: environment variable with the key; None: the provider's usual variable, or no key with
            `base_url`.
        max_tokens: limit for a reply. A judge that thinks before it replies needs thousands.
        concurrency: requests in flight.
        requests_per_minute: maximum rate; None: no limit.
        timeout_s: seconds for one request.
        retries: retries after a transient failure (429, 5xx, timeout, no connection).
        backoff_s: seconds before the first retry; doubles each time.
        give_up_after: unreachable questions in a row after which the judge counts as down.
        rest_s: seconds before a judge that is down is tried again.
        cache: folder of the cache; None: `$XDG_CACHE_HOME/lm-eval-ext/judge`.
        price: USD per million tokens, (prompt, completion), or as text: 0.15,0.6; None: litellm's price, if
            it has one.
        budget_usd: maximum total cost; None: no limit.
        on_refusal: if the judge refuses every question (wrong key, unknown model), "raise" JudgeError or
            leave the answers "undecided".
    """

    model: Name
    base_url: Url | None = None
    api_key_env: str | None = None
    max_tokens: Count = 64
    concurrency: Count = 8
    requests_per_minute: Positive | None = None
    timeout_s: Positive = 60.0
    retries: Annotated[int, Ge(0)] = 4
    backoff_s: NotNegative = 1.0
    give_up_after: Count = 3
    rest_s: NotNegative = 60.0
    cache: str | None = None
    price: Prices | None = None
    budget_usd: Positive | None = None
    on_refusal: Literal["raise", "undecided"] = "raise"

    role: ClassVar[str] = "judge"
    """What messages call the model."""

    @classmethod
    def option(cls, name: str) -> str:
        """How a user sets a field, for messages."""
        return f"--{cls.role}-{name}"

    @property
    def extra_body(self) -> dict[str, Any]:
        """Further fields of a request, which not every server knows."""
        return {}

    @property
    def cache_folder(self) -> Path:
        """Where replies are kept."""
        if self.cache is not None:
            return Path(self.cache).expanduser()
        home = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
        return Path(home).expanduser() / "lm-eval-ext" / "judge"

    @classmethod
    def from_settings(cls: type[AnyConfig], settings: str | Mapping[str, Any]) -> AnyConfig:
        """Builds the config from YAML, JSON or command-line settings; a string names the model.

        Raises JudgeError for an unknown setting or an invalid value.
        """
        given: dict[str, Any] = {"model": settings} if isinstance(settings, str) else dict(settings)
        known = [field.name for field in fields(cls)]
        for name in given:
            if name not in known:
                raise JudgeError(f"{cls.role}: unknown setting {name!r}; the settings are {', '.join(known)}")
        if "model" not in given:
            raise JudgeError(
                f"{cls.role}: no model among the settings {', '.join(given) or '(none)'}; name one"
            )
        try:
            return cls(**given)
        except ValidationError as error:
            raise JudgeError(f"{cls.role}: {_fault(error, given)}") from None


@dataclass(frozen=True, config=CHECKS)
class JudgeConfig(ClientConfig):
    """Settings of the judge of answers.

    Attributes:
        prompt: name of a packaged prompt, or a folder with system.txt, user.txt and again.txt.
        asks: "unequal": ask about different and undecided answers; "undecided": only about undecided ones.
        audit: share of the layers' verdicts that the judge checks. They stand; see `log`.
        audit_seed: selects another sample.
        log: JSON-lines file of disagreements between the layers and the judge.
    """

    prompt: str = "equivalence-v1"
    asks: Literal["unequal", "undecided"] = "unequal"
    audit: Share = 0.0
    audit_seed: int = 0
    log: str | None = None


def _fault(error: ValidationError, given: Mapping[str, Any]) -> str:
    """The first invalid setting, with what was given."""
    fault = error.errors()[0]
    name = str(fault["loc"][0])
    return f"{name}: {fault['msg']}{_HINTS.get(name, '')}; got {redacted_url(repr(given[name]))}"
