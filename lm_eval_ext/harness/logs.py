"""What a user reads of the logs of lm-eval and its engines: what they can act on, and no warning twice."""

from __future__ import annotations

import logging
import os
import warnings
from pathlib import Path

LEVEL = "LMEVAL_LOG_LEVEL"
OURS = "lm_eval.lm_eval_ext"
"""Logger of this package: below lm-eval's."""
NOISE = (
    "The `device` argument is ignored by the vLLM",
    "Ignoring clean_up_tokenization_spaces=True",
    "Triton is installed, but",
)
"""Beginnings of warnings about what no user has set."""


class Once(logging.Filter):
    """Lets each warning pass once, and noise never."""

    def __init__(self) -> None:
        super().__init__()
        self._seen: set[str] = set()

    def filter(self, record: logging.LogRecord) -> bool:
        """False for a warning whose text has passed before."""
        if record.levelno < logging.WARNING:
            return True
        text = record.getMessage()
        is_new = text not in self._seen
        self._seen.add(text)
        return is_new and not text.startswith(NOISE)


ONCE = Once()


def show_lm_eval() -> None:
    """Shows the log of lm-eval from WARNING on and this package's from INFO on, or from LMEVAL_LOG_LEVEL."""
    from lm_eval import evaluator
    from lm_eval.utils import setup_logging

    setup_logging(logging.WARNING)
    if LEVEL not in os.environ:
        logging.getLogger(OURS).setLevel(logging.INFO)
    for handler in logging.getLogger("lm_eval").handlers:
        handler.addFilter(ONCE)
    for name in ("transformers.tokenization_utils_tokenizers", "vllm.triton_utils.importing"):
        logging.getLogger(name).addFilter(ONCE)
    warnings.filterwarnings("ignore", category=FutureWarning)  # for the authors of the engines
    here = Path.cwd()
    if not any((folder / ".git").exists() for folder in (here, *here.parents)):
        evaluator.get_git_commit_hash = lambda: (
            None
        )  # as lm-eval records it; git itself would say "fatal: ..."
