"""Folders that ship with the package."""

from __future__ import annotations

from pathlib import Path


def tasks_path() -> Path:
    """The folder for `--include_path`."""
    return shipped("tasks_yaml")


def shipped(name: str) -> Path:
    """A folder shipped with the package: inside it when installed, at the top of a checkout."""
    package = Path(__file__).resolve().parent.parent
    installed = package / name
    return installed if installed.is_dir() else package.parent / name
