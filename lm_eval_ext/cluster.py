"""A Ray cluster: joined or started, and left again."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from lm_eval_ext.errors import UserError, required


@contextmanager
def joined(address: str | None = None) -> Iterator[Any]:
    """The module `ray`, connected to a cluster.

    Args:
        address: "auto" or host:port; None: that of RAY_ADDRESS or of this machine, else a new one here.

    Raises UserError without Ray, or if there is no cluster at the address.
    """
    ray = required("ray", "--on ray", "ray")
    ours = not ray.is_initialized()
    if ours:
        try:
            ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR)
        except ConnectionError as error:
            raise UserError(
                f"no Ray cluster at {address}: {error}; start one with `ray start --head`"
            ) from None
    try:
        yield ray
    finally:
        if ours:
            ray.shutdown()
