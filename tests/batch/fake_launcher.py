"""Stands in for `lm-eval-ext`: writes results as lm-eval does, and does what the model's name asks for.

`slow`: half a second of work; `dies`: fails always; `once`: fails the first time; `hangs`: never ends the
first time; `waits`: until there is a file OUT/released.
"""

import json
import os
import sys
import time
from datetime import datetime
from pathlib import Path

from tests.analysis.logged import write_run


def main(words: list[str]) -> int:
    if words[:2] == ["train", "merge"]:
        merged = Path(words[words.index("--out") + 1])
        merged.mkdir(parents=True)
        (merged / "config.json").write_text("{}")
        return 3
    folder = Path(words[words.index("--resume") + 1])
    model_args = json.loads(words[words.index("--model_args") + 1])
    model, tasks = model_args["pretrained"], words[words.index("--tasks") + 1].split(",")
    with (folder / "calls.txt").open("a") as calls:
        calls.write(
            f"{os.getpid()} {sorted(os.sched_getaffinity(0))} {os.environ.get('CUDA_VISIBLE_DEVICES')}\n"
        )
    first = len((folder / "calls.txt").read_text().splitlines()) == 1
    if "dies" in model or ("once" in model and first):
        print("Error: no such model")
        return 1
    if "hangs" in model and first:
        time.sleep(600)
    while "waits" in model and not (folder.parents[1] / "released").exists():
        time.sleep(0.05)
    if "slow" in model:
        time.sleep(0.5)
    write(folder / "model", model, tasks)
    return 0


def write(folder: Path, model: str, tasks: list[str]) -> None:
    """One results file for all tasks."""
    stamp = f"{datetime.now():%Y-%m-%dT%H-%M-%S.%f}"
    whole: dict[str, dict] = {}
    for task in tasks:
        right = sum(map(ord, Path(model).name + task)) % 8
        file = write_run(folder, [i < right for i in range(8)], task=task, model=model, stamp=stamp)
        for part, values in json.loads(file.read_text()).items():
            whole[part] = {**whole.get(part, {}), **values} if isinstance(values, dict) else values
    file.write_text(json.dumps(whole))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
