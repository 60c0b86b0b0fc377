"""The size of the code: lines per package, the longest function; fails where a function is too long.

Complexity is ruff's (C901), which `make check` runs too.
"""

from __future__ import annotations

import ast
import sys
from collections import Counter
from pathlib import Path
from statistics import median

MAX_FUNCTION_LINES = 60
ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("lm_eval_ext", "training")


def functions(path: Path) -> list[tuple[int, str]]:
    """(lines, place) of every function in a file."""
    nodes = ast.walk(ast.parse(path.read_text("utf-8")))
    return [
        (
            (node.end_lineno or node.lineno) - node.lineno + 1,
            f"{path.relative_to(ROOT)}:{node.lineno} {node.name}",
        )
        for node in nodes
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]


def package(path: Path) -> str:
    """The folder of a file, three levels deep at most."""
    return "/".join(path.relative_to(ROOT).parent.parts[:3])


def main() -> int:
    files = [path for name in PACKAGES for path in sorted((ROOT / name).rglob("*.py"))]
    lines: Counter[str] = Counter()
    for path in files:
        lines[package(path)] += len(path.read_text("utf-8").splitlines())
    for name, count in sorted(lines.items()):
        print(f"{count:7,} {name}")
    sizes = sorted(size for path in files for size in functions(path))
    middle, (longest, place) = median(size for size, _ in sizes), sizes[-1]
    print(f"{lines.total():7,} lines in {len(files)} files, {len(sizes)} functions")
    print(f"median function {middle:g} lines, longest {longest}: {place}")
    long = [(size, place) for size, place in sizes if size > MAX_FUNCTION_LINES]
    for size, place in long:
        print(f"longer than {MAX_FUNCTION_LINES} lines: {place}: {size} lines")
    return 1 if long else 0


if __name__ == "__main__":
    sys.exit(main())
