"""Generated instructions that IFEval's checkers can verify: a topic, and one to three constraints.

    {"id": "instruction-0000", "problem": "Write about tea. Do not use commas. ...", "prompt": the same,
     "instruction_id_list": ["punctuation:no_comma"], "kwargs": [{}], "solution": "tea is one of the ..."}

The benchmark has no training split; topics and wording here are not taken from it.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any, NamedTuple

NUMBER = 2000
TOPICS = (
    "tea", "bicycles", "the moon", "honey bees", "chess", "rivers", "bread", "lighthouses", "snow", "trains",
    "libraries", "apples", "volcanoes", "owls", "bridges", "salt", "clocks", "gardens", "whales", "paper",
    "kites", "deserts", "soap", "maps", "violins", "rain", "cheese", "mountains", "ants", "windmills",
)  # fmt: skip


class Constraint(NamedTuple):
    """An instruction of IFEval, its arguments, its wording, and how a text comes to follow it."""

    name: str
    arguments: dict[str, Any]
    wording: str
    follow: Callable[[str], str]


CONSTRAINTS = (
    *(
        Constraint(
            "detectable_format:number_bullet_lists",
            {"num_bullets": n},
            f"Answer in exactly {n} bullet points, each on a line that begins with *.",
            lambda text, n=n: "\n".join(f"* {text}" for _ in range(n)),  # type: ignore[misc]
        )
        for n in (2, 3, 4)
    ),
    *(
        Constraint(
            "keywords:existence",
            {"keywords": [word]},
            f"Include the word {word}.",
            lambda text, word=word: f"{text} Some say {word}.",  # type: ignore[misc]
        )
        for word in ("because", "together", "early", "quiet")
    ),
    Constraint(
        "detectable_format:title",
        {},
        "Begin with a title in double angular brackets, such as <<title>>.",
        lambda text: f"<<a title>>\n{text}",
    ),
    Constraint(
        "detectable_content:postscript",
        {"postscript_marker": "P.S."},
        "Add a postscript that begins with P.S.",
        lambda text: f"{text}\nP.S. That is all.",
    ),
    Constraint(
        "startend:end_checker",
        {"end_phrase": "That is how it is."},
        "End with the exact sentence That is how it is.",
        lambda text: f"{text}\nThat is how it is.",
    ),
    Constraint("punctuation:no_comma", {}, "Do not use commas.", lambda text: text),
    Constraint("change_case:english_lowercase", {}, "Write in lowercase letters only.", str.lower),
    Constraint(
        "startend:quotation", {}, "Wrap the whole answer in double quotes.", lambda text: f'"\n{text}"'
    ),
)
"""In the order in which a text can follow them one after the other."""


def generate(size: int | None = None) -> list[dict[str, Any]]:
    """The first documents, always the same."""
    return [_document(number) for number in range(NUMBER if size is None else size)]


def _document(number: int) -> dict[str, Any]:
    draw = random.Random(f"instruction-{number}")
    topic, wanted = draw.choice(TOPICS), draw.randint(1, 3)
    by_name = {one.name: one for one in draw.sample(CONSTRAINTS, len(CONSTRAINTS))}
    chosen = sorted(list(by_name.values())[:wanted], key=CONSTRAINTS.index)
    problem = " ".join([f"Write about {topic}.", *(one.wording for one in chosen)])
    solution = f"There is much to say about {topic} and people like to say it."
    for one in chosen:
        solution = one.follow(solution)
    return {
        "id": f"instruction-{number:04d}",
        "problem": problem,
        "prompt": problem,
        "instruction_id_list": [one.name for one in chosen],
        "kwargs": [one.arguments for one in chosen],
        "solution": solution,
    }
