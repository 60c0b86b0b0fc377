"""What a row asks for, in the columns of MBPP or of HumanEval."""

from __future__ import annotations

import builtins
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lm_eval_ext.rewards.code.extraction import defines
from lm_eval_ext.rewards.code.runner import Tests

_CALLED = re.compile(r"(?<![.\w])([A-Za-z_]\w*)\s*\(")


@dataclass(frozen=True)
class CodeProblem:
    """Tests, and how a response becomes a program.

    Attributes:
        names: what the tests call.
        opening: the beginning of the program, which the prompt shows.
    """

    tests: Tests
    names: frozenset[str]
    opening: str = ""

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> CodeProblem:
        """The problem of a row.

        MBPP: `test_list`, and `test_imports` (a list) or `test_setup_code`, and `code` (the reference).
        HumanEval: `test`, `entry_point`, and the prompt as `problem` or `prompt`.

        Raises ValueError if the row has the columns of neither.
        """
        if row.get("test") and row.get("entry_point"):
            name = str(row["entry_point"])
            tests = Tests(f"{row['test']}\ncheck({name})", reference=f"def {name}(): ...")
            return cls(tests, frozenset({name}), str(row.get("problem") or row["prompt"]))
        if row.get("test_list"):
            setup = row.get("test_setup_code") or "\n".join(row.get("test_imports") or ())
            tests = Tests("\n".join(row["test_list"]), setup, row.get("code") or "")
            called = {name for name in _CALLED.findall(tests.tests) if name not in dir(builtins)}
            return cls(tests, frozenset(called | {n for n in dir(builtins) if defines(tests.reference, [n])}))
        raise ValueError(
            "verifier code: a row needs test_list (as in MBPP), or test and entry_point (as in HumanEval); "
            f"it has {', '.join(sorted(row)) or 'nothing'}"
        )

    def program(self, code: str) -> str:
        """The program of a response's code: a function, or the rest of the one that the prompt began."""
        return self.opening + ("\n" if self.opening and defines(code, self.names) else "") + code
