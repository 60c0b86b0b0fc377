"""Where and of what figures were taken."""

from __future__ import annotations

import os
import platform
import subprocess
from datetime import UTC, datetime

from benchmarks.data import ROOT
from lm_eval_ext.grading.cores import usable_cores
from lm_eval_ext.versions import version_of

_PACKAGES = ("math-verify", "latex2sympy2_extended", "sympy", "lm-eval")
_MEASURED = ("lm_eval_ext", "benchmarks/*.py")


def about() -> dict[str, str]:
    """Date, commit, machine and versions, for a reader to judge figures by."""
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "commit": _commit(),
        "cores": str(usable_cores()),
        "load average at the start": load_average(),
        "machine": f"{platform.machine()}, {platform.system()}",
        "Python": platform.python_version(),
        **{name: version_of(name) or "not installed" for name in _PACKAGES},
    }


def load_average() -> str:
    """Of the last five minutes: what else kept the cores busy distorts times."""
    return f"{os.getloadavg()[1]:.1f}"


def _commit() -> str:
    """The commit whose code was measured, and whether that code had changes on top."""
    try:
        commit = _git("rev-parse", "--short=12", "HEAD")
        return commit + (", with uncommitted changes" if _git("status", "--porcelain", *_MEASURED) else "")
    except (OSError, subprocess.CalledProcessError):
        return "unknown (no git checkout)"


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=ROOT, check=True, capture_output=True, text=True)
    return done.stdout.strip()
