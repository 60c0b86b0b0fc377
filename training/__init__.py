"""Training on the evaluation's own grader: recipes in, merged checkpoints and their evaluation out.

Rooms, from the ground up: `recipe` (one YAML file, one experiment), `models` (tokenizers and weights),
`prompts` (as lm-eval renders them), `data/` (rows to train on), `preflight/`, `rollouts` and `guards` (what
is recorded, when to stop), `sft` and `grpo` (thin over TRL), `merge/`, `pipeline/`. May import
`lm_eval_ext`, never the reverse.
"""

import logging

# That an optional kernel is not installed is said as a failure, whenever TRL is imported on some CPUs.
logging.getLogger("bitsandbytes.backends.cpu.ops").setLevel(logging.ERROR)


def command(step: str) -> str:
    """What starts a step from where the user stands: its module in a checkout, else the installed program."""
    return f"python -m training.{step}" if __name__ == "training" else f"lm-eval-ext train {step}"
