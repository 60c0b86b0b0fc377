"""Numbers that count as right within a bound which their task states."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

_MAX_CHARS = 200
_NAMES = frozenset(["relative", "absolute"])


class Tolerance(NamedTuple):
    """How far a number may be from its gold: by the larger of both bounds.

    Attributes:
        relative: share of the gold; 0.01 for 1%.
        absolute: in units of the gold.
    """

    relative: float = 0.0
    absolute: float = 0.0

    @classmethod
    def of(cls, setting: Any) -> Tolerance | None:
        """From a setting: a share of the gold, or `{"relative": 0.01, "absolute": 0.1}`; None for none.

        Raises ValueError for anything else, and for negative bounds.
        """
        if setting is None or isinstance(setting, Tolerance):
            return setting
        bounds = setting if isinstance(setting, Mapping) else {"relative": setting}
        given = {name: value for name, value in bounds.items() if value is not None}
        if not given.keys() <= _NAMES or not all(map(_is_bound, given.values())):
            raise ValueError(
                f"tolerance is {setting!r}; it must be a share such as 0.01, or have the fields relative and "
                "absolute, neither of them negative"
            )
        return cls(**given)

    def allows(self, given: float, wanted: float) -> bool:
        return abs(given - wanted) <= max(self.absolute, self.relative * abs(wanted)) * (1 + 1e-9)


def _is_bound(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value >= 0


def within(answer: str, gold: str, tolerance: Tolerance) -> bool:
    """Whether all numbers of an answer are within the tolerance of the gold's, whatever their order.

    Units are converted; one that only one side has is left out. False for anything but numbers.
    """
    if max(len(answer), len(gold)) > _MAX_CHARS:
        return False
    from lm_eval_ext.grading.answers.comparison.decimals import (
        numbers_in,  # only tasks with a tolerance need it
    )

    wanted = numbers_in(gold)
    given = numbers_in(answer, wanted) if wanted else ()
    pairs = zip(sorted(n for n, _ in given), sorted(n for n, _ in wanted), strict=False)
    return 0 < len(given) == len(wanted) and all(tolerance.allows(a, g) for a, g in pairs)
