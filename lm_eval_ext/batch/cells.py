"""Cells: one model with one evaluation each, in a folder of its own, run by `lm_eval_ext.batch.job`."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lm_eval_ext.batch.job import LAUNCHER, Job, Launcher
from lm_eval_ext.batch.models import Model, local_folder, models_of
from lm_eval_ext.batch.plan import EvaluationEntry, Plan
from lm_eval_ext.batch.record import CellRecord
from lm_eval_ext.errors import UserError, similar
from lm_eval_ext.harness.sources import VARIABLE
from lm_eval_ext.harness.weights import stamp

LOCAL_ENGINES = ("vllm", "hf")


@dataclass
class Cell:
    """A cell of the matrix: its record, and its job."""

    record: CellRecord
    job: Job
    folder: Path

    @property
    def rows(self) -> tuple[str, str]:
        """What a model is called: by its name and as one of its series."""
        return self.record.model, self.record.series

    @property
    def log(self) -> Path:
        return self.folder / "log.txt"


def cells_of(
    plan: Plan, out: Path, launcher: Launcher = LAUNCHER, models: list[Model] | None = None
) -> list[Cell]:
    """The cells of a plan, model by model. Raises UserError if its models or settings cannot be used."""
    found = models_of(plan.models) if models is None else models
    return [
        _cell(plan, model, evaluation, out, launcher) for model in found for evaluation in plan.evaluations
    ]


def selected(found: list[Cell], only: Sequence[str]) -> list[Cell]:
    """The cells whose model and evaluation are named, where one of their kind is; all without names.

    Raises UserError for a name that no model, series of checkpoints or evaluation has.
    """
    models = {name for cell in found for name in cell.rows}
    evaluations = {cell.record.evaluation for cell in found}
    if unknown := next((name for name in only if name not in models | evaluations), None):
        known = similar(unknown, models | evaluations)
        raise UserError(f"--only {unknown}: no such model or evaluation{known}")
    rows, columns = models & {*only} or models, evaluations & {*only} or evaluations
    return [cell for cell in found if rows & {*cell.rows} and cell.record.evaluation in columns]


def _cell(plan: Plan, model: Model, evaluation: EvaluationEntry, out: Path, launcher: Launcher) -> Cell:
    place = f"{model.name}/{re.sub(r'[^A-Za-z0-9_.+=-]+', '-', evaluation.name)}"
    given = {**model.entry.model_dump(), **evaluation.model_dump()}
    record = CellRecord(
        model=model.name,
        series=model.series,
        step=model.step,
        path=model.path,
        labels={**model.entry.labels, **evaluation.labels},
        evaluation=evaluation.name,
        settings={name: value for name, value in given.items() if name not in ("name", "path", "labels")},
        folder=place,
    )
    folder = local_folder(model.path)
    job = Job(
        path=str(folder or model.path),
        weights=stamp(folder) if folder else None,
        model=model.entry.model,
        model_args=_model_args(model, evaluation),
        adapter=model.entry.adapter,
        merged=str((out / "merged" / model.name).resolve()),
        arguments=arguments(model, evaluation),
        data=os.environ.get(VARIABLE),
        output=f"{plan.output.rstrip('/')}/{place}" if plan.output else None,
        launcher=launcher,
    )
    return Cell(record, job, (out / place).resolve())


def _model_args(model: Model, evaluation: EvaluationEntry) -> dict[str, object]:
    """Template variables are arguments of lm-eval's model; enable_thinking is one of its own."""
    given, variables = dict(model.entry.model_args), dict(evaluation.chat_template_args)
    if model.entry.model == "vllm":
        given = {"seed": 42, **given}
    if not variables:
        return given
    if model.entry.model not in LOCAL_ENGINES:
        raise UserError(
            f"{evaluation.name}: --model {model.entry.model} takes no chat_template_args; "
            "set them on the server"
        )
    if "enable_thinking" in variables:
        given["enable_thinking"] = variables.pop("enable_thinking")
    return {**given, **({"chat_template_args": variables} if variables else {})}


def arguments(model: Model, evaluation: EvaluationEntry) -> list[str]:
    """Options of `lm-eval-ext run` for an evaluation, without model and folder."""
    tasks = (str(Path(t).resolve()) if t.endswith(".yaml") else t for t in evaluation.tasks)
    given = ["--tasks", ",".join(tasks), "--seed", str(evaluation.seed)]
    given += ["--batch_size", str(model.entry.batch_size)]
    for name in ("num_fewshot", "system_instruction", "limit", "fewshot_as_multiturn"):
        if (value := getattr(evaluation, name)) is not None:
            given += [f"--{name}", str(value)]
    if template := evaluation.apply_chat_template:
        given += ["--apply_chat_template", *([template] if isinstance(template, str) else [])]
    if evaluation.gen_kwargs:
        given += ["--gen_kwargs", json.dumps(evaluation.gen_kwargs)]
    repeats = {"repeats": evaluation.repeats} if evaluation.repeats else {}
    if metadata := {**evaluation.metadata, **repeats}:
        given += ["--metadata", json.dumps(metadata)]
    if evaluation.chunk_size:
        given += ["--chunk-size", str(evaluation.chunk_size)]
    return [*given, *evaluation.arguments]
