"""Training on the evaluation's own grader: recipes in, merged checkpoints and their evaluation out.

recipe, entries  one YAML file, one experiment (config_checks: settings that cannot work together)
models           tokenizers, weights, and the tokens that end a response
prompts          as lm-eval renders them
data/            rows to train on
preflight/       checks before a run
launch, batch    one process per GPU, and what of a batch each of them gets
rewards/, setup  what trainers are given; sft and grpo are thin over TRL
merge/           adapters into their base, with proof
evaluation       how checkpoints are evaluated
pipeline/        all of it, stage by stage
matrix/          several trainings, each model evaluated in several ways

May import `lm_eval_ext`, never the reverse.
"""

import logging

# TRL's import logs a missing optional kernel as an error on some CPUs.
logging.getLogger("bitsandbytes.backends.cpu.ops").setLevel(logging.ERROR)


def command(step: str) -> str:
    """The command of a step, as a user types it."""
    return f"lm-eval-ext train {step}"
