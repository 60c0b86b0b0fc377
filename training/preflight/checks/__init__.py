"""Every check, in the order of ids; those that need the model come after the others of their id."""

from ..check import Check
from . import data, evaluation, mask, model, reward, settings, verifier

MODULES = (data, evaluation, mask, model, reward, settings, verifier)
CHECKS = sorted(
    (value for module in MODULES for value in vars(module).values() if isinstance(value, Check)),
    key=lambda check: (check.id, check.deep),
)
