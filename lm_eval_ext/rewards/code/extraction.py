"""The program in a response: from Markdown, between [BEGIN] and [DONE], or the response itself."""

from __future__ import annotations

import re
from collections.abc import Collection

from lm_eval_ext.grading.extraction import Formats, visible

_FENCE = re.compile(r"^[ \t]*(?:```+|~~~+)[ \t]*([\w+#.-]*)[^\n`]*$", re.MULTILINE)
_CODE = re.compile(r"^(?:(?:async )?def|class|import|from|@\w|\w+ *=)", re.MULTILINE)


def code_of(
    response: str, names: Collection[str], thinking: Formats = (), continues: bool = False
) -> str | None:
    """The program of a response; None if it has none.

    Of several blocks of Markdown the last one that defines one of `names`, else the first. A block that is
    never closed extends to the end; a block that the prompt opened begins with the response.

    Args:
        names: what the tests call.
        thinking: formats of thinking besides the known ones.
        continues: whether a response may be the rest of a function that the prompt began.
    """
    text = visible(response, thinking).partition("[DONE]")[0].rpartition("[BEGIN]")[2]
    found = blocks(text)
    if found:
        return next((block for block in reversed(found) if defines(block, names)), found[0]) or None
    start = _CODE.search(text)
    if continues and (start is None or not defines(text, names)):
        return text.rstrip() or None
    return text[start.start() :].rstrip() if start else None


def blocks(text: str) -> list[str]:
    """The blocks of Markdown in a text."""
    found: list[str] = []
    begin: int | None = None
    for fence in _FENCE.finditer(text):
        if begin is None and not fence[1] and not found and _CODE.search(text, 0, fence.start()):
            begin = 0  # the prompt opened it
        if begin is not None:
            found.append(text[begin : fence.start()].strip("\n"))
            begin = None if not fence[1] else fence.end()
        else:
            begin = fence.end()
    return found if begin is None else [*found, text[begin:].strip("\n")]


def defines(code: str, names: Collection[str]) -> bool:
    """Whether a text has the definition of one of the names."""
    listed = "|".join(map(re.escape, names))
    return bool(re.search(rf"^[ \t]*(?:(?:async[ \t]+)?def|class)[ \t]+(?:{listed})\b", code, re.MULTILINE))
