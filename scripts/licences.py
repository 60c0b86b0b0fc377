"""Prints docs/licences.md: what the package installs, and the licences that these packages state.

    python scripts/licences.py > docs/licences.md

A dependency of an extra that is not installed here is listed without its own dependencies.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from importlib import metadata

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

SELF = "lm-eval-ext"
LEFT_OUT = {"bench", "dev", "docs"}
HEAD = """# Licences of dependencies

Each package with the licence that its metadata states, and the extras that install it ("always": the package
itself). `make docs` writes this page. lm-eval-ext is Apache-2.0; tools of development are left out.

| package | licence | installed by |
|---|---|---|"""


def needed(name: str, extra: str) -> Iterator[Requirement]:
    """What a package asks for, with one of its extras or with none ("")."""
    for requirement in map(Requirement, metadata.requires(name) or ()):
        if requirement.marker is None or requirement.marker.evaluate({"extra": extra}):
            yield requirement


def closure(start: list[Requirement]) -> set[str]:
    """Names of these and of all that they install; one that is not installed here ends its branch."""
    found, waiting = set[str](), list(start)
    while waiting:
        asked = waiting.pop()
        for extra in {"", *asked.extras}:
            key = f"{canonicalize_name(asked.name)}[{extra}]"
            if key not in found:
                found.add(key)
                with suppress(metadata.PackageNotFoundError):
                    waiting += needed(asked.name, extra)
    return {key.partition("[")[0] for key in found} - {SELF}


def licence(name: str) -> str:
    """The licence that a package's metadata states."""
    try:
        about = metadata.metadata(name)
    except metadata.PackageNotFoundError:
        return "see the package"
    classified = [
        line.split(" :: ")[-1] for line in about.get_all("Classifier") or () if "License ::" in line
    ]
    text = (about.get("License-Expression") or ", ".join(classified) or about.get("License") or "").strip()
    return text.splitlines()[0][:80] if text else "see the package"


if __name__ == "__main__":
    extras = sorted(set(metadata.metadata(SELF).get_all("Provides-Extra") or ()) - LEFT_OUT)
    always = closure(list(needed(SELF, "")))
    by_extra = {extra: closure(list(needed(SELF, extra))) - always for extra in extras}
    print(HEAD)
    for name in sorted(always.union(*by_extra.values())):
        users = [extra for extra, names in by_extra.items() if name in names]
        print(f"| {name} | {licence(name)} | {'always' if name in always else ', '.join(users)} |")
