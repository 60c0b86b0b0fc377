"""How a model would write the answers of `cases/answers.jsonl`."""

from __future__ import annotations

import re

_PROSE = re.compile(r"(?<![\\A-Za-z])(?!sqrt|floor|max|min|log)[A-Za-z]{3,}|\bor\b|\bif\b|\$")
_COMMANDS = re.compile(r"\\[A-Za-z]+|\{[A-Za-z]*\}|\\text\s*\{[^{}]*\}")


def is_prose(answer: str) -> bool:
    """Words outside of LaTeX's commands: no formula as a whole."""
    return bool(_PROSE.search(_COMMANDS.sub(" ", answer)))


def announced(answer: str) -> str:
    """As a last line; formulas between dollars."""
    return f"Some work.\n\nFinal answer: {answer if is_prose(answer) else f'${answer}$'}"


def boxed(answer: str) -> str:
    return f"Some work, so \\boxed{{{answer}}}."
