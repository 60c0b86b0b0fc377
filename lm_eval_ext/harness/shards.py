"""Sharded safetensors whose index names files that are not there: repaired, or refused in one line."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from lm_eval_ext import atomic
from lm_eval_ext.harness.errors import ModelError
from lm_eval_ext.resume import read_json, write_json

INDEX = "model.safetensors.index.json"
ORIGINAL = f"{INDEX}.original"
"""Where the index is kept that was replaced."""
_LONGEST = 1 << 30
"""Bytes of a header; a larger number is not one."""


def check_index(folder: Path) -> None:
    """Rewrites the index of a model's folder if its files have other names; weights are never changed.

    Checkpoints whose shards were renamed or saved by other tools load nowhere with such an index.

    Raises ModelError if the shards that are there lack tensors of the index.
    """
    index = read_json(folder / INDEX)
    if index is None:
        return
    named: dict[str, str] = index.get("weight_map") or {}
    absent = sorted({name for name in named.values() if not (folder / name).is_file()})
    if not absent:
        return
    found = {
        tensor: file.name
        for file in sorted(folder.glob("*.safetensors"), reverse=True)
        for tensor in header(file)
        if tensor in named
    }
    if lacking := sorted(set(named) - set(found)):
        raise ModelError(
            f"{folder}: {INDEX} names {', '.join(absent)}, not there, and the files that are lack "
            f"{len(lacking)} of {len(named)} tensors ({lacking[0]}, ...): copy the checkpoint again"
        )
    try:
        if not (folder / ORIGINAL).exists():
            atomic.write_bytes(folder / ORIGINAL, (folder / INDEX).read_bytes())
        write_json(folder / INDEX, {**index, "weight_map": {name: found[name] for name in named}})
    except OSError as error:
        raise ModelError(
            f"{folder}: {INDEX} names {absent[0]}, which is not there, and cannot be rewritten "
            f"({error.strerror}): copy the model to a folder that you can write"
        ) from error
    print(f"{folder}: {INDEX} named {absent[0]}, which is not there; rewritten", file=sys.stderr, flush=True)


def header(file: Path) -> dict[str, Any]:
    """The tensors in a safetensors file, by name: its header only. Raises ModelError if it has none."""
    try:
        with file.open("rb") as content:
            size = int.from_bytes(content.read(8), "little")
            read = dict(json.loads(content.read(size if size < _LONGEST else 0)))
        return {name: about for name, about in read.items() if name != "__metadata__"}
    except (OSError, ValueError, TypeError) as error:
        raise ModelError(f"{file} is no safetensors file: {error}; copy the checkpoint again") from error
