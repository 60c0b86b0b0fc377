"""Errors about models and protocols; the general ones are in `lm_eval_ext.errors`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lm_eval_ext.errors import DataError, UserError

__all__ = ["DataError", "ModelError", "ProtocolError", "UserError", "model_errors"]


class ModelError(UserError):
    """A model is not available: which one, and what transformers says about it."""


class ProtocolError(UserError):
    """A run would not be comparable: which setting, what was received, what to set instead."""


@contextmanager
def model_errors(model: str) -> Iterator[None]:
    """Raises ModelError if loading from the model, a folder or a name on the Hub, fails.

    At once for a name on a Hub that does not answer: huggingface_hub would try again for half a minute.
    """
    from lm_eval_ext.harness import sources
    from lm_eval_ext.harness.weights import cache_folder

    if not (Path(model).exists() or sources.cached(model, "models")) and (why := sources.no_hub()):
        here = ", ".join(map(str, cache_folder().glob(f"{Path(model).name}*"))) or "a folder that has it"
        raise ModelError(f"model {model}: no such folder, it is not in the cache, and {why}. Name {here}")
    try:
        yield
    except (OSError, ValueError) as error:
        reason = str(error).partition("\n")[0].rstrip(".")
        raise ModelError(
            f"model {model}: {reason}. Name a folder that has it, or a model of a Hub that can be reached"
        ) from error
