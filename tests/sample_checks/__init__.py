"""Independent computations of the packaged problems' answers, one module a data set."""

from collections.abc import Callable

Check = Callable[[], str]


def registrar(checks: dict[str, Check]) -> Callable[[str], Callable[[Check], Check]]:
    """A decorator `check(key)` that enters a function into `checks` as the check of row `key`."""

    def check(key: str) -> Callable[[Check], Check]:
        def register(function: Check) -> Check:
            if key in checks:
                raise ValueError(f"two checks for {key}")
            checks[key] = function
            return function

        return register

    return check
