"""A model as litellm knows it: its provider, its price, the keys it needs."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from lm_eval_ext.grading.judge.budget import Price
from lm_eval_ext.grading.judge.config import ClientConfig
from lm_eval_ext.grading.judge.errors import JudgeError


@dataclass(frozen=True)
class Provider:
    """The model of a configuration.

    Attributes:
        litellm: the module, which takes seconds to import.
        model: the model's name with its provider, as litellm expects it.
        price: per token; None if unknown. A server behind `base_url` has no list price.
    """

    config: ClientConfig
    litellm: Any
    model: str
    price: Price | None

    @classmethod
    def load(cls, config: ClientConfig) -> Provider:
        """Raises JudgeError if litellm knows no provider for the model."""
        litellm = _litellm()
        model = _routed(litellm, config)
        return cls(config, litellm, model, _price(litellm, model, config))

    def missing_keys(self) -> list[str]:
        """Key variables that the provider needs and that are unset or empty.

        Empty for providers that accept other credentials, such as a role or a profile.
        """
        config = self.config
        if config.base_url is not None or config.api_key_env is not None or self.litellm.api_key:
            return []
        with _without_empty_variables():  # litellm only checks that a variable exists
            missing: list[str] = self.litellm.validate_environment(config.model)["missing_keys"]
        return missing if all(name.endswith("_API_KEY") for name in missing) else []

    def cost(self, response: Any, tokens: tuple[int, int], worst_usd: float) -> float | None:
        """Cost in USD; the maximum for a response without token counts, None if the price is unknown."""
        if self.price is None:
            return None
        if not tokens[0]:
            return worst_usd
        if self.config.price is not None:
            return self.price.cost(*tokens)
        return float(self.litellm.completion_cost(completion_response=response, model=self.model))


def _litellm() -> Any:
    """Imports litellm without its download of a price list and its advice on every error."""
    os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
    litellm: Any = import_module("litellm")
    litellm.suppress_debug_info = True
    logging.getLogger("LiteLLM").setLevel(logging.CRITICAL)
    return litellm


def _routed(litellm: Any, config: ClientConfig) -> str:
    if config.base_url is not None:
        providers = {getattr(provider, "value", provider) for provider in litellm.provider_list}
        return config.model if config.model.split("/")[0] in providers else f"openai/{config.model}"
    try:
        litellm.get_llm_provider(config.model)
    except litellm.exceptions.BadRequestError:
        raise JudgeError(
            f"{config.role}: litellm knows no provider for {config.model!r}; prefix the name with one "
            f"(anthropic/NAME, gemini/NAME, openai/NAME), or use your own server with "
            f"{config.option('base-url')}"
        ) from None
    return config.model


def _price(litellm: Any, model: str, config: ClientConfig) -> Price | None:
    if config.price is not None:
        return Price(config.price[0] / 1e6, config.price[1] / 1e6)
    if config.base_url is not None:
        return None
    try:
        info = litellm.get_model_info(model)
    except Exception as error:  # its class varies by version; without a price the cost is unknown
        logging.getLogger(__name__).debug("no price for %s: %s", model, error)
        return None
    prices = info.get("input_cost_per_token"), info.get("output_cost_per_token")
    return None if None in prices else Price(float(prices[0]), float(prices[1]))


@contextmanager
def _without_empty_variables() -> Iterator[None]:
    empty = {name: value for name, value in os.environ.items() if not value.strip()}
    for name in empty:
        del os.environ[name]
    try:
        yield
    finally:
        os.environ.update(empty)
