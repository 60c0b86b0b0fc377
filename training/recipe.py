"""A recipe: one YAML file, one experiment; settings of this package, of TRL's trainer and its model, flat.

    # training/configs/smoke_sft.yaml
    task: arith_words                 # evaluated on, and so how prompts look (Recipe)
    model_name_or_path: ...           # trl.ModelConfig
    learning_rate: 2.0e-4             # trl.SFTConfig or trl.GRPOConfig

Unknown settings are errors, and everything can be given on the command line as well (`--learning_rate 1e-4`).
"""

from __future__ import annotations

import difflib
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

from lm_eval_ext.harness.errors import UserError

from . import command
from .combinations import check_settings

TRAINERS = ("sft", "grpo")
TARGETS = ("task", "solution")
SHIPPED = Path(__file__).resolve().parent / "configs"


@dataclass
class Recipe:
    """What a recipe says beside TRL's settings.

    Attributes:
        trainer: the trainer that it is for, "sft" or "grpo"; another one refuses it.
        task: the lm-eval task that prompts are rendered for and checkpoints are judged by.
        source: where training problems come from, see `training.data.documents`; None: the task's name.
        data: where data sets come from, see `lm_eval_ext.harness.sources`.
        size: how many documents, from the start of the source.
        levels: of MATH problems, [3, 4, 5]; None: all.
        shape: "masked" (loss on the response) or "full" (loss on the prompt, too).
        chat: whether prompts go through the model's chat template.
        thinking: `enable_thinking` of the chat template; None: the template's own default.
        num_fewshot: exemplars in training prompts; None: as many as the task has.
        system_instruction: of the chat.
        target: what is learnt where a document has no response of its own: "task", the worked solution as
            exemplars of the task show it, or "solution", the solution word for word.
        boxed: whether solutions get a last sentence with the gold in a box.
        min_solution_tokens, max_solution_tokens: solutions outside are left out; none is cut.
        max_row_tokens: rows for SFT with more tokens, prompt and end token counted, are left out.
        curriculum: file of ids, one a line, easiest first: these documents, in this order.
        allow_missing_ids: whether ids without a document are passed over.
        format_weight: weight of the reward for committing to an answer at all; 0: none.
        overlong_tokens: tokens before max_completion_length from which longer is worse; 0: no such reward.
        max_kl, max_grad_norm_seen: training stops when the logged value passes it; 0: no such bound.
        eval_model_args: of the evaluation, as `--model_args` beside `pretrained`; `enable_thinking` is added
            where the recipe has `thinking` and this does not say.
        eval_gen_kwargs: of the evaluation, as `--gen_kwargs`; beside the task's own.
        eval_num_fewshot, eval_chat: of the evaluation; None: as in training.
        eval_repeats: responses a problem in the evaluation; None: as the task has.
        validation_task: the task that `training.pipeline` chooses a checkpoint by; its problems are never
            trained on.
        pick_up_to: checkpoints above this validation accuracy are not chosen, so that something is left for
            reinforcement learning; 1: all are.
        preflight: whether a run starts with `training.preflight`.
        accept: rows of the pitfalls that this recipe breaks on purpose, "12 20".
    """

    trainer: str = field(default="", metadata={"help": "sft or grpo: the trainer that the recipe is for"})
    task: str = field(
        default="", metadata={"help": "lm-eval task: how prompts look, what checkpoints are judged by"}
    )
    source: str | None = field(
        default=None, metadata={"help": "arith_words, gsm8k, math, mathnet, ... or a file"}
    )
    data: str | None = field(
        default=None, metadata={"help": "where data sets come from, as LM_EVAL_EXT_DATA"}
    )
    size: int | None = field(default=None, metadata={"help": "documents, from the start of the source"})
    levels: list[int] | None = field(default=None, metadata={"help": "levels of MATH problems, all if unset"})
    shape: str = field(default="masked", metadata={"help": "masked: loss on the response; full: on all"})
    chat: bool = field(default=False, metadata={"help": "prompts through the chat template"})
    thinking: bool | None = field(default=None, metadata={"help": "enable_thinking of the chat template"})
    num_fewshot: int | None = field(default=None, metadata={"help": "exemplars in training prompts"})
    system_instruction: str | None = field(default=None, metadata={"help": "of the chat"})
    target: str = field(
        default="task",
        metadata={"help": "task: solutions as exemplars show them; solution: word for word"},
    )
    boxed: bool = field(default=False, metadata={"help": "end solutions in a boxed gold"})
    min_solution_tokens: int = field(default=0, metadata={"help": "shorter solutions are left out"})
    max_solution_tokens: int | None = field(default=None, metadata={"help": "longer solutions are left out"})
    max_row_tokens: int | None = field(
        default=None, metadata={"help": "longer rows, prompt and end included, are left out"}
    )
    curriculum: str | None = field(default=None, metadata={"help": "file of ids, easiest first"})
    allow_missing_ids: bool = field(default=False, metadata={"help": "pass over ids without a document"})
    format_weight: float = field(default=0.0, metadata={"help": "weight of the reward for any answer at all"})
    overlong_tokens: int = field(default=0, metadata={"help": "soft punishment before the length limit"})
    max_kl: float = field(default=0.0, metadata={"help": "stop when the KL passes it"})
    max_grad_norm_seen: float = field(default=0.0, metadata={"help": "stop when the gradient norm passes it"})
    eval_model_args: str = field(
        default="dtype=bfloat16,tensor_parallel_size=1,seed=42",
        metadata={"help": "of the evaluation, as --model_args beside pretrained"},
    )
    eval_gen_kwargs: str = field(default="", metadata={"help": "of the evaluation, as --gen_kwargs"})
    eval_num_fewshot: int | None = field(default=None, metadata={"help": "exemplars in evaluation prompts"})
    eval_chat: bool | None = field(default=None, metadata={"help": "evaluation through the chat template"})
    eval_repeats: int | None = field(default=None, metadata={"help": "responses a problem in the evaluation"})
    validation_task: str = field(
        default="", metadata={"help": "task that training.pipeline chooses checkpoints by"}
    )
    pick_up_to: float = field(
        default=1.0, metadata={"help": "checkpoints above this validation accuracy are not chosen"}
    )
    preflight: bool = field(default=True, metadata={"help": "whether a run starts with training.preflight"})
    accept: str = field(default="", metadata={"help": "pitfalls broken on purpose, by number"})

    def __post_init__(self) -> None:
        numbers = self.accept.replace(",", " ").split()
        for holds, why in (
            (self.shape in ("masked", "full"), f"shape must be masked or full, got {self.shape!r}"),
            (self.size is None or self.size > 0, f"size must be positive, got {self.size}"),
            (self.target in TARGETS, f"target must be task or solution, got {self.target!r}"),
            (self.trainer in ("", *TRAINERS), f"trainer must be sft or grpo, got {self.trainer!r}"),
            (0 < self.pick_up_to <= 1, f"pick_up_to must be over 0 and at most 1, got {self.pick_up_to}"),
            (all(n.isdigit() for n in numbers), f"accept must be numbers of pitfalls, got {self.accept!r}"),
        ):
            if not holds:
                raise ValueError(why)

    @property
    def accepted(self) -> frozenset[int]:
        """Numbers of the pitfalls that are broken on purpose."""
        return frozenset(int(number) for number in self.accept.replace(",", " ").split())


def found(file: str | Path) -> Path:
    """This file, else the shipped recipe of that name, `smoke_sft` or `training/configs/smoke_sft.yaml`.

    Raises UserError where there is neither.
    """
    given = Path(file)
    if given.is_file():
        return given
    if given.parent in (Path(), Path("training/configs")):
        shipped = SHIPPED / f"{given.name.removesuffix('.yaml')}.yaml"
        if shipped.is_file():
            return shipped
    names = sorted(path.stem for path in SHIPPED.glob("*.yaml"))
    near = ", ".join(difflib.get_close_matches(given.stem, names, n=3, cutoff=0))
    raise UserError(f"recipe {file}: no such file, and none of this name is shipped, as {near} are")


def trainer_of(file: str | Path) -> str:
    """The trainer that a recipe file is for, "sft" or "grpo". Raises UserError if it does not say."""
    trainer = settings_in(file).get("trainer")
    if trainer not in TRAINERS:
        raise UserError(f"recipe {file}: trainer is {trainer!r}; say `trainer: sft` or `trainer: grpo` in it")
    return str(trainer)


def settings_in(file: str | Path) -> dict[str, Any]:
    """What a recipe file says, as it stands there. Raises UserError where it cannot be read."""
    import yaml

    try:
        content = yaml.safe_load(found(file).read_text("utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise UserError(f"recipe {file}: {error}") from error
    if not isinstance(content, dict):
        raise UserError(f"recipe {file}: it has no settings")
    return content


def read(trainer: str, arguments: Sequence[str] | None = None) -> tuple[Recipe, Any, Any]:
    """(Recipe, SFTConfig or GRPOConfig, ModelConfig) from `--config FILE` and further options.

    Args:
        trainer: "sft" or "grpo". Without an accelerator it trains on the CPU.
        arguments: None: those of the command line.

    Raises UserError on a setting that none of the three has, or that has a value it cannot have, on a recipe
    for the other trainer, and on settings that cannot work together.
    """
    import torch
    from trl import GRPOConfig, ModelConfig, SFTConfig, TrlParser

    kinds: tuple[Any, ...] = (Recipe, {"sft": SFTConfig, "grpo": GRPOConfig}[trainer], ModelConfig)
    parser = TrlParser(
        kinds,
        prog=command(trainer),
        description=__doc__,
    )
    parser.error = _refuse  # type: ignore[method-assign]  # argparse's own prints 180 lines of usage
    given = list(sys.argv[1:] if arguments is None else arguments)
    _find_file(given, trainer)
    if not torch.accelerator.is_available():
        given += ["--use_cpu", "true"]
    try:
        recipe, training, model = parser.parse_args_and_config(given)
    except (ValueError, AssertionError, ImportError, OSError) as error:  # TRL asserts
        raise UserError(f"recipe: {' '.join(str(error).split())}") from error
    _check(recipe, training, model)
    check_settings(training, model, trainer)
    return recipe, training, model


def _refuse(message: str) -> NoReturn:
    raise UserError(f"recipe: {message}")


def _find_file(given: list[str], trainer: str) -> None:
    """Finds the recipe; refuses one for the other trainer before its settings are read as unknown ones."""
    if "--config" not in given[:-1]:
        return
    place = given.index("--config") + 1
    file = given[place]
    given[place] = str(found(file))
    meant = settings_in(file).get("trainer")
    if meant not in (None, trainer):
        raise UserError(f"recipe {file} is for {meant}, not for {trainer}: {command(meant)} --config {file}")


def _check(recipe: Recipe, training: Any, model: Any) -> None:
    if not recipe.task:
        raise UserError(
            "recipe: no task; name the lm-eval task that prompts are rendered for (task: arith_words)"
        )
    if not model.model_name_or_path:
        raise UserError("recipe: no model_name_or_path")
    quantized = model.load_in_4bit or model.load_in_8bit
    if quantized and getattr(training, "use_vllm", False) and _sharded(training):
        raise UserError(
            "recipe: QLoRA, FSDP2 and use_vllm do not go together: before each rollout the adapter is merged "
            "into the weights that vLLM gets, and 4-bit weights in FSDP2's shards cannot be merged. Up to "
            "about 4B use multi_gpu.yaml (DDP) in place of fsdp2.yaml, or train LoRA on bf16 weights "
            "(load_in_4bit: false)"
        )


def _sharded(training: Any) -> bool:
    """Whether this process shards its model by FSDP2: by the launcher's environment or the recipe."""
    launched = os.environ.get("ACCELERATE_USE_FSDP") == "true" and os.environ.get("FSDP_VERSION") == "2"
    arguments = getattr(training, "fsdp_plugin_args", None) or {}
    return launched or arguments.get("fsdp_version") == 2
