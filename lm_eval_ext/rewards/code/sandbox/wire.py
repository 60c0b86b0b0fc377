"""Values between the tests and the program, as JSON: neither side can make the other run code.

Scalars are themselves, the rest is [tag, content]: {"a": [1, 2]} is ["dict", [["a", ["list", [1, 2]]]]].
Objects of subclasses arrive as their base; any other object is kept where it is, and its number sent.
"""

from __future__ import annotations

import json
import os
import select
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, MappingView
from itertools import islice
from typing import Any

LONGEST_BYTES = 2**24
LONGEST_ITERATOR = 100_000
_HEADER_BYTES = 8
_SEQUENCES: dict[str, Callable[[list[Any]], Any]] = {
    "list": list, "tuple": tuple, "set": set, "frozenset": frozenset, "iterator": iter
}  # fmt: skip
Keep = Callable[[object], list[Any]]
"""What is sent for an object that is no plain data."""
Find = Callable[[str, Any], object]
"""The object that is named by what `Keep` sent."""


def encode(value: Any, keep: Keep) -> Any:
    """JSON for a value."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, dict):
        return ["dict", [[encode(k, keep), encode(v, keep)] for k, v in value.items()]]
    for base in (list, tuple, set, frozenset):
        if isinstance(value, base):
            return [base.__name__, [encode(one, keep) for one in value]]
    if isinstance(value, complex):
        return ["complex", [value.real, value.imag]]
    if isinstance(value, bytes | bytearray):
        return ["bytes", value.hex()]
    if isinstance(value, range):
        return ["range", [value.start, value.stop, value.step]]
    if type(value).__module__ == "numpy":
        return encode(value.tolist(), keep)
    if isinstance(value, Iterator | MappingView | deque) and isinstance(value, Iterable):
        return ["iterator", [encode(one, keep) for one in islice(value, LONGEST_ITERATOR)]]
    return keep(value)


def decode(data: Any, find: Find) -> Any:
    """The value of such JSON. Raises ValueError for any other."""
    if not isinstance(data, list):
        return data
    tag, content = data
    if tag in _SEQUENCES:
        return _SEQUENCES[tag]([decode(one, find) for one in content])
    if tag == "dict":
        return {decode(key, find): decode(value, find) for key, value in content}
    if tag == "complex":
        return complex(*content)
    if tag == "bytes":
        return bytes.fromhex(content)
    return range(*content) if tag == "range" else find(tag, content)


def send(file: int, message: Any) -> None:
    """Writes a message. Raises OSError if nobody reads."""
    rest = memoryview(framed(message))
    while rest:
        rest = rest[os.write(file, rest) :]


def framed(message: Any) -> bytes:
    """A message behind its length."""
    body = json.dumps(message).encode()
    return len(body).to_bytes(_HEADER_BYTES, "big") + body


def receive(file: int, due: float | None = None) -> Any:
    """Reads a message, and not a byte more.

    Raises EOFError at the end of the file, TimeoutError at `due` (by `time.monotonic()`), ValueError for a
    message that is too long.
    """
    size = int.from_bytes(_read(file, _HEADER_BYTES, due), "big")
    if size > LONGEST_BYTES:
        raise ValueError(f"a value of {size} bytes is too long")
    return json.loads(_read(file, size, due))


def _read(file: int, size: int, due: float | None) -> bytes:
    found = bytearray()
    while len(found) < size:
        left = None if due is None else due - time.monotonic()
        if left is not None and (left <= 0 or not select.select([file], [], [], left)[0]):
            raise TimeoutError
        part = os.read(file, min(size - len(found), 2**16))
        if not part:
            raise EOFError
        found += part
    return bytes(found)
