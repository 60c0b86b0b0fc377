"""A recipe: one YAML file, one experiment; settings of this package, of TRL's trainer and its model, flat.

    # training/configs/smoke_sft.yaml
    task: arith_words                 # evaluated on, and so how prompts look (Recipe)
    model_name_or_path: ...           # trl.ModelConfig
    learning_rate: 2.0e-4             # trl.SFTConfig or trl.GRPOConfig

Unknown settings are errors. Everything can be given on the command line too (`--learning_rate 1e-4`).
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NoReturn

from lm_eval_ext.errors import UserError, similar

from . import command
from .batch import batch_options
from .config_checks import check_settings
from .entries import bound, check_ranges, check_sources, listed, mapping, named, of_source, reward_entries
from .recipe_files import NAMED, TRAINERS, found, settings_given, settings_in

REPLACED = {
    "max_kl": "bounds: {kl: VALUE}",
    "max_grad_norm_seen": "bounds: {grad_norm: VALUE}",
    "format_weight": "rewards: [{name: task}, {name: format, weight: W}]",
    "overlong_tokens": "rewards: [{name: task}, {name: overlong, tokens: N}]",
}
"""Settings of earlier versions -> those that do the same now."""
ENDS = ("first_exhausted", "all_exhausted", "all_exhausted_without_replacement")


def _setting(default: Any, help: str) -> Any:
    return field(default=default, metadata={"help": help})


@dataclass
class Recipe:
    """The settings of a recipe besides TRL's; `--help` of the trainers shows their texts."""

    trainer: str = _setting("", f"{NAMED}: the trainer that the recipe is for; others refuse it")
    task: str = _setting("", "lm-eval task: how prompts look, and what checkpoints are evaluated on")
    source: str | None = _setting(
        None,
        "source of the training problems: arith_words, gsm8k, math, mathnet, ... or a file; default: task",
    )
    data: str | None = _setting(None, "where data sets come from, as LM_EVAL_EXT_DATA")
    size: int | None = _setting(None, "number of documents, from the start of the source")
    levels: list[int] | None = field(
        default=None, metadata={"help": "levels of MATH problems, as in 3 4 5; default: all"}
    )
    shape: str = _setting("masked", "masked: loss on the response; full: loss on the prompt as well")
    chat: bool = _setting(False, "apply the model's chat template to prompts")
    thinking: bool | None = _setting(
        None, "enable_thinking of the chat template; default: the template's own"
    )
    chat_template_args: dict[str, Any] | str | None = field(
        default=None, metadata={"help": "further variables of the chat template, as JSON or YAML"}
    )
    num_fewshot: int | None = _setting(None, "exemplars in training prompts; default: the task's")
    system_instruction: str | None = _setting(None, "system message of the chat")
    target: str = _setting(
        "task",
        "what to learn where a document has no response of its own: task: the solution as the task's "
        "exemplars show it; solution: the solution word for word",
    )
    boxed: bool = _setting(False, "add a last sentence with the boxed gold to solutions")
    min_solution_tokens: int = _setting(0, "leave out shorter solutions")
    max_solution_tokens: int | None = _setting(None, "leave out longer solutions; none is truncated")
    max_row_tokens: int | None = _setting(
        None, "leave out longer rows for SFT, prompt and EOS token included"
    )
    curriculum: str | None = _setting(
        None, "file of ids, one per line, easiest first: train on these documents in this order"
    )
    allow_missing_ids: bool = _setting(False, "ignore ids without a document")
    max_prompt_tokens: int | None = _setting(None, "leave out longer prompts; none is truncated")
    max_prompts: int | None = _setting(None, "number of problems, from the first that is not left out")
    fewshot_phase_out: int = _setting(
        0, "number of rows over which the exemplars in prompts go from num_fewshot to 0; 0: they stay"
    )
    verifier: dict[str, Any] | str | None = field(
        default=None,
        metadata={"help": "who grades responses: a name, or its name and settings; default: as the task"},
    )
    sources: list[Any] | str | None = field(
        default=None,
        metadata={"help": "several sources, as JSON or YAML: source, task, weight or count, verifier, ..."},
    )
    sources_seed: int = _setting(42, "of the order in which sources with weights take turns")
    sources_end: str = _setting(
        "first_exhausted", "when a mixture by weights ends: the stopping_strategy of interleave_datasets"
    )
    rewards: list[Any] | str | None = field(
        default=None, metadata={"help": "as JSON or YAML: name, weight, only_if; default: the task's grading"}
    )
    adaptive_sampling: float = _setting(
        1.0, "GRPO: factor on a prompt's weight for each of its last groups without variance; 1: TRL's order"
    )
    max_staleness: int = _setting(4, "async_grpo: discard rollouts of a policy older by more steps than this")
    teacher: str = _setting("", "distill: model whose distribution is learnt, with the same tokenizer")
    bounds: dict[str, Any] | str | None = field(
        default=None, metadata={"help": "stop beyond these logged values: {kl: 10, entropy: [0.05, null]}"}
    )
    global_batch: int | None = _setting(
        None, "rows, or completions, of one optimizer step of all processes; instead of accumulation steps"
    )
    processes: int | None = _setting(None, "that train; default: one for each free GPU, one on a CPU")
    accelerate: str = _setting(
        "ddp", "how they share the model: ddp, fsdp2, zero3, or accelerate's YAML file"
    )
    vllm_gpus: int = _setting(0, "GPUs that sample, by a vLLM server, and do not train; 0: all do both")
    eval_model_args: str = _setting(
        "dtype=bfloat16,tensor_parallel_size=1,seed=42",
        "--model_args of the evaluation besides pretrained; enable_thinking is added from thinking",
    )
    eval_gen_kwargs: str = _setting("", "--gen_kwargs of the evaluation besides the task's own")
    eval_num_fewshot: int | None = _setting(None, "exemplars in evaluation prompts; default: as in training")
    eval_chat: bool | None = _setting(
        None, "apply the chat template in the evaluation; default: as in training"
    )
    eval_repeats: int | None = _setting(None, "responses per problem in the evaluation; default: the task's")
    eval_subset: float | None = _setting(
        None, "evaluate on a random share (below 1) or number of the problems"
    )
    validation_task: str = _setting(
        "", "task by which training.pipeline chooses checkpoints; its problems are never trained on"
    )
    last_checkpoints: int | None = _setting(
        None, "merge the newest checkpoints, this many, and choose among them; default: all"
    )
    safety_task: str = _setting(
        "", "task whose score decides between checkpoints of equal validation accuracy, such as ailuminate"
    )
    safety_metadata: dict[str, Any] | str | None = field(
        default=None, metadata={"help": "--metadata of safety_task, as JSON or YAML: safeguard, prompts, ..."}
    )
    thresholds: str = _setting(
        "",
        "BASELINE/LABEL, thresholds in baselines/ that the chosen checkpoint must reach: "
        "cs396-thresholds/simple",
    )
    pick_up_to: float = _setting(
        1.0, "never choose checkpoints above this validation accuracy: leave something to RL"
    )
    preflight: bool = _setting(True, "run training.preflight first")
    accept: str = _setting("", "numbers of the pitfalls that this recipe breaks on purpose, as in 12 20")

    def __post_init__(self) -> None:
        numbers = self.accept.replace(",", " ").split()
        check_ranges(vars(self))
        self.chat_template_args = mapping("chat_template_args", self.chat_template_args)
        self.safety_metadata = mapping("safety_metadata", self.safety_metadata)
        self.bounds = {name: bound(name, b) for name, b in mapping("bounds", self.bounds).items()}
        self.verifier = named("verifier", self.verifier)
        self.rewards, self.sources = listed("rewards", self.rewards), listed("sources", self.sources)
        reward_entries(self.rewards)
        check_sources(self.sources)
        for valid, why in (
            (self.shape in ("masked", "full"), f"shape must be masked or full, got {self.shape!r}"),
            (self.target in ("task", "solution"), f"target must be task or solution, got {self.target!r}"),
            (self.sources_end in ENDS, f"sources_end must be one of {ENDS}, got {self.sources_end!r}"),
            (
                not (self.sources and (self.source or self.curriculum or self.verifier)),
                "source, curriculum and verifier belong to the entries of sources",
            ),
            (self.trainer in ("", *TRAINERS), f"trainer must be {NAMED}, got {self.trainer!r}"),
            (all(n.isdigit() for n in numbers), f"accept must be numbers of pitfalls, got {self.accept!r}"),
        ):
            if not valid:
                raise ValueError(why)

    @property
    def parts(self) -> list[Recipe]:
        """A recipe for each of the sources: this one under the settings of the source."""
        assert isinstance(self.sources, list)  # since __post_init__
        return [replace(self, **of_source(entry)) for entry in self.sources] or [self]

    @property
    def training_data(self) -> str:
        """The sources of the training problems."""
        return ", ".join(part.source or part.task for part in self.parts)

    @property
    def template_variables(self) -> dict[str, Any]:
        """The variables of the chat template, enable_thinking among them."""
        thinking = {} if self.thinking is None else {"enable_thinking": self.thinking}
        assert isinstance(self.chat_template_args, dict)  # since __post_init__
        return {**thinking, **self.chat_template_args}

    @property
    def accepted(self) -> frozenset[int]:
        """Numbers of the pitfalls that are broken on purpose."""
        return frozenset(int(number) for number in self.accept.replace(",", " ").split())


def read(trainer: str, arguments: Sequence[str] | None = None) -> tuple[Recipe, Any, Any]:
    """(Recipe, SFTConfig or GRPOConfig, ModelConfig) from `--config FILE` and further options.

    Args:
        trainer: of TRAINERS. Without an accelerator it trains on the CPU.
        arguments: None: those of the command line.

    Raises UserError on an unknown setting or value, on a recipe for the other trainer, and on settings that
    cannot work together.
    """
    import torch
    from trl import GRPOConfig, ModelConfig, SFTConfig, TrlParser

    kind = TRAINERS[trainer]
    kinds: tuple[Any, ...] = (Recipe, {"sft": SFTConfig, "grpo": GRPOConfig}[kind], ModelConfig)
    example = f"Example: lm-eval-ext train {trainer} --config RECIPE --learning_rate 1e-5"
    parser = TrlParser(kinds, prog=command(trainer), description=example)
    parser.error = _refuse  # type: ignore[method-assign]  # argparse's own prints 180 lines of usage
    given = list(sys.argv[1:] if arguments is None else arguments)
    _find_file(given, trainer)
    for name in sorted(REPLACED.keys() & settings_given(given)):
        _refuse(f"there is no setting {name} any more; write {REPLACED[name]}")
    given += batch_options(settings_given(given))
    if not torch.accelerator.is_available():
        given += ["--use_cpu", "true"]
    try:
        recipe, training, model, unknown = parser.parse_args_and_config(given, return_remaining_strings=True)
    except (ValueError, AssertionError, ImportError, OSError) as error:  # TRL asserts
        _refuse(" ".join(str(error).split()))
    if unknown:
        _refuse(f"no such setting: {' '.join(unknown)}{similar(unknown[0], parser._option_string_actions)}")
    if not recipe.task:
        _refuse(
            "no task; give --config RECIPE, or name the lm-eval task that prompts are rendered for "
            "(task: arith_words)"
        )
    if recipe.fewshot_phase_out and (trainer != "grpo" or training.shuffle_dataset):
        _refuse("fewshot_phase_out follows the order of the rows: it needs GRPO and shuffle_dataset: false")
    check_settings(training, model, kind)
    return recipe, training, model


def _refuse(message: str) -> NoReturn:
    raise UserError(f"recipe: {message}")


def _find_file(given: list[str], trainer: str) -> None:
    """Finds the recipe; refuses one for the other trainer before its settings count as unknown."""
    if "--config" not in given[:-1]:
        return
    place = given.index("--config") + 1
    file = given[place]
    given[place] = str(found(file))
    other = settings_in(file).get("trainer")
    if other not in (None, trainer):
        raise UserError(f"recipe {file} is for {other}, not for {trainer}: {command(other)} --config {file}")
