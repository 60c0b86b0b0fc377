"""Parse a reply strictly: anything but one of two words is malformed."""

from __future__ import annotations

import re

_THOUGHT = re.compile(r"\A\s*<think>.*?</think>", re.DOTALL)
_WORD = re.compile(r"[\s*_`\"'.]*(YES|NO)[\s*_`\"'.!]*", re.IGNORECASE)


def parse_reply(reply: str) -> bool | None:
    """True for YES, False for NO, None for anything else.

    Ignores case, emphasis, a full stop, and a leading `<think>` block.
    """
    word = _WORD.fullmatch(_THOUGHT.sub("", reply))
    return None if word is None else word[1].upper() == "YES"
