"""A safeguard reads each response and says whether it is safe: a model behind a server, or a classifier."""

from lm_eval_ext.safety.classifier import ClassifierSafeguard
from lm_eval_ext.safety.config import SafeguardConfig
from lm_eval_ext.safety.safeguard import Safeguard, SafetyUsage
from lm_eval_ext.safety.server import ServerSafeguard
from lm_eval_ext.safety.verdict import SafetyVerdict

__all__ = ["Safeguard", "SafeguardConfig", "SafetyUsage", "SafetyVerdict", "load"]


def load(config: SafeguardConfig, progress: str | None = None) -> Safeguard:
    """The safeguard of a configuration; `progress` labels a bar on stderr.

    Raises JudgeError if it cannot be used as configured.
    """
    folder = config.folder
    if folder is None:
        return ServerSafeguard(config, progress)
    return ClassifierSafeguard(config, folder, progress)
