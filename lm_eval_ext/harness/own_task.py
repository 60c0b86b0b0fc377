"""A task file for a user's own problems: `lm-eval-ext new-task`, and `lm-eval-ext run --data`."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lm_eval_ext import atomic
from lm_eval_ext.grading import EXTRACTORS
from lm_eval_ext.harness.docs import own
from lm_eval_ext.harness.errors import UserError

PROMPT = (
    "Solve the following problem. Show your work, and put your final answer within \\boxed{}."
    "\n\nProblem: {{problem}}\n\nSolution:"
)
MAX_GEN_TOKS = 2048
_NAME = re.compile(r"[A-Za-z0-9][\w-]*")


@dataclass(frozen=True)
class OwnTask:
    """A task over a file or a data set on the Hub.

    Attributes:
        data: a .jsonl, .csv, .tsv or .parquet file, or OWNER/NAME on the Hub.
        prompt: a Jinja template over the columns, with `{{problem}}`.
        extract: how the answer is found in a response, see `lm_eval_ext.grading.extraction`.
        split: the split, for a data set on the Hub.
    """

    name: str
    data: str
    problem_field: str = "problem"
    gold_field: str = "gold"
    prompt: str = PROMPT
    extract: str = "statement"
    split: str = "test"

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise UserError(
                f"a task's name has letters, digits, _ and -; got {self.name!r}: pass --name NAME"
            )
        if self.extract not in EXTRACTORS:
            raise UserError(f"--extract {self.extract}: it must be one of {', '.join(sorted(EXTRACTORS))}")

    def yaml(self) -> str:
        """The task file. Strings are JSON, which is YAML and escapes every character.

        Raises DataError for data that cannot be read, UserError for a prompt without the problem.
        """
        path = Path(self.data).expanduser()
        source = str(path.resolve()) if path.exists() else self.data
        fields = {"problem_field": self.problem_field, "gold_field": self.gold_field, "split": self.split}
        self._check(own.dataset(source, **fields)["test"].column_names)
        settings = {
            "task": self.name,
            "class": "!function lm_eval_ext.harness.task.MathTask",
            "custom_dataset": "!function lm_eval_ext.harness.docs.own.dataset",
            "dataset_kwargs": {"source": source, **fields},
            "test_split": "test",
            "output_type": "generate_until",
            "doc_to_text": self.prompt,
            "doc_to_target": "gold",
            "filter_list": [
                {"name": "grade_math", "filter": [{"function": "grade_math", "extract": self.extract}]}
            ],
            "generation_kwargs": {"max_gen_toks": MAX_GEN_TOKS, "do_sample": False, "until": []},
            "metadata": {"version": 1.0},
        }
        note = "# source is a path on this machine: change it where you share this file\n" * path.exists()
        return note + "".join(f"{name}: {_value(value)}\n" for name, value in settings.items())

    def _check(self, columns: list[str]) -> None:
        """Raises UserError unless the prompt is a template that asks for the problem and known columns."""
        from jinja2 import Environment, TemplateSyntaxError, meta

        try:
            asked = meta.find_undeclared_variables(Environment().parse(self.prompt))
        except TemplateSyntaxError as error:
            raise UserError(f"--prompt is not a Jinja template: {error}: {self.prompt!r}") from None
        if not {"problem", self.problem_field} & asked or asked - {*columns}:
            raise UserError(
                f"--prompt asks for {', '.join(sorted(asked)) or 'no column'}; it must ask for "
                f"{{{{problem}}}} and may ask for {', '.join(columns)}"
            )


def _value(value: object) -> str:
    text = str(value)
    return text if text.startswith("!function ") else json.dumps(value, ensure_ascii=False)


def write(task: OwnTask, folder: Path, overwrite: bool = False) -> Path:
    """Writes `FOLDER/NAME.yaml` and returns its path. Raises UserError if it exists."""
    path = folder / f"{task.name}.yaml"
    if path.exists() and not overwrite:
        raise UserError(f"{path} exists; remove it, or choose another name")
    text = task.yaml()
    folder.mkdir(parents=True, exist_ok=True)
    atomic.write_text(path, text)
    return path


def with_own_task(arguments: Sequence[str], task: OwnTask, folder: Path) -> list[str]:
    """The arguments of a run of this task, whose file is written to the folder."""
    if named := next((a for a in arguments if a.split("=")[0] in ("--tasks", "-t")), None):
        raise UserError(
            f"--data with {named}: --data is the task; evaluate other tasks in a command of their own"
        )
    return [*arguments, "--tasks", str(write(task, folder, overwrite=True).resolve())]
