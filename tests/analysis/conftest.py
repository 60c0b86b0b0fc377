"""A browser for what only a browser shows."""

from __future__ import annotations

import os
import shutil
from importlib.util import find_spec

import pytest


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of Chromium. Without one, or without playwright: skipped, but in CI (CI=true) a failure."""
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path and find_spec("playwright"):
        return path
    missing = "playwright" if path else "chromium"
    if os.environ.get("CI") == "true":
        pytest.fail(f"CI must look at the report in a browser, and there is no {missing}")
    pytest.skip(f"no {missing} here: apt-get install chromium, pip install playwright")
