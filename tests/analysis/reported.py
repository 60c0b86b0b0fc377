"""Runs for the report's tests: with a tokenizer of one token a byte, and with texts that mean harm."""

from __future__ import annotations

import json
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from lm_eval_ext.analysis import runs
from lm_eval_ext.analysis.runs import Run
from tests.analysis.logged import write_run

HARM = (
    "</pre></details><script>window.harmed = 1</script><img src=x onerror='window.harmed = 2'>"
    '<svg onload="window.harmed = 3"></svg><a href="javascript:window.harmed=4">x</a> {{ 7 * 7 }} \x3c!-- '
)
HARMFUL_LATEX = (
    r"$\text{<script>window.harmed = 5</script>}$ $\href{javascript:window.harmed=6}{x}$ "
    r'$\style{background:url(http://example.com/a)}{x}$ $\class{a" onclick="window.harmed=7}{x}$ '
    r"$\text{</math><img src=x onerror=window.harmed=8>}$"
)


def byte_tokenizer(folder: Path) -> str:
    """A tokenizer that makes a token of every byte, saved where AutoTokenizer finds it."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    vocabulary = {c: i for i, c in enumerate(sorted(pre_tokenizers.ByteLevel.alphabet()))}
    tokenizer = Tokenizer(models.BPE(vocabulary, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    PreTrainedTokenizerFast(tokenizer_object=tokenizer).save_pretrained(folder)
    return str(folder)


def rewrite(results_file: Path, change: Callable[[int, dict[str, Any]], None]) -> None:
    """Applies a change to every logged sample of a run."""
    for samples in results_file.parent.glob("samples_*"):
        rows = [json.loads(line) for line in samples.read_text().splitlines()]
        for i, row in enumerate(rows):
            change(i, row)
        samples.write_text("".join(json.dumps(row) + "\n" for row in rows))


def verdict(correct: bool | None, layer: str, answer: str | None, reason: str = "as written") -> str:
    return json.dumps({"correct": correct, "layer": layer, "answer": answer, "reason": reason})


def two_runs(folder: Path, *, problems: int = 40) -> list[Run]:
    """Two runs that agree on most problems; with every outcome, a judge, an error and harmful texts."""
    docs = [
        {
            "id": f"p{i}",
            "problem": f"Problem {i}: what is $\\frac{{{i}}}{{2}}$? {HARM if i == 1 else ''}{HARMFUL_LATEX}",
            "gold": f"\\frac{{{i}}}{{2}}",
            "topic": ("Algebra", "Geometry", HARM)[i % 3],
            "level": i % 4 + 1,
        }
        for i in range(problems)
    ]
    made = []
    for number, name in enumerate(("base", HARM)):
        outcomes = [None if i % 10 == 9 else (i + number * (i % 5 == 0)) % 2 == 0 for i in range(problems)]
        texts = [f"So {HARM} unicorn{i}. Final answer: {i}" for i in range(problems)]
        file = write_run(
            folder / str(number), outcomes, docs=docs, responses=texts, model=f"org/{name}-{number}"
        )
        rewrite(file, _vary)
        made.append(runs.load(file, name=f"{name}{number}"))
    return made


def _vary(i: int, row: dict[str, Any]) -> None:
    if i == 3:
        row["error"] = f"refused {HARM}"
    elif i == 4 and row["accuracy"]:
        row["filtered_resps"] = [[verdict(True, "judge", HARM + HARMFUL_LATEX, HARM)]]
    elif i == 7:
        row["filtered_resps"] = [[verdict(False, "none", None)]]
        row["accuracy"] = 0.0


class Tags(HTMLParser):
    """Start tags and attributes as a browser's parser would find them, scripts and styles as data."""

    def __init__(self):
        super().__init__()
        self.found, self.attributes = [], []

    def handle_starttag(self, tag, attributes):
        self.found.append(tag)
        self.attributes += [(tag, *pair) for pair in attributes]
