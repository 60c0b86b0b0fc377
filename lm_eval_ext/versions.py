"""Versions of installed packages."""

from __future__ import annotations

from collections.abc import Iterable
from importlib import metadata


def version_of(package: str) -> str | None:
    """The installed version of a package; None if it is not installed."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def versions_of(packages: Iterable[str]) -> dict[str, str]:
    """The versions of those of these packages that are installed."""
    return {name: version for name in packages if (version := version_of(name)) is not None}
