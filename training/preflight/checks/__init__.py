"""Every check, in the order of ids; those that need the model come after the others of their id."""

from ..check import Check
from . import data, evaluation, generation, mask, model, optimization, reward

MODULES = (data, evaluation, generation, mask, model, optimization, reward)
CHECKS = sorted(
    (value for module in MODULES for value in vars(module).values() if isinstance(value, Check)),
    key=lambda check: (check.id, check.deep),
)
