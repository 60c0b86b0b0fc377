"""A folder of runs for the tests of its pages."""

from __future__ import annotations

from pathlib import Path

from lm_eval_ext.view.app import Reply, respond
from lm_eval_ext.view.follow import View
from lm_eval_ext.view.index import Index
from tests.analysis.logged import write_run
from tests.analysis.reported import rewrite, verdict
from tests.conftest import cases


def opened(root: Path, place: Path) -> View:
    """The view of a folder, all of it read; its index lies in `place`."""
    place.mkdir()
    view = View(root, Index(place))
    while not view.complete:
        view.update()
    return view


def page(view: View, target: str, status: int = 200) -> str:
    reply: Reply = respond(view, target)
    assert reply.status == status, reply.body
    return reply.body


def hostile_run(folder: Path) -> int:
    """A run whose problems, golds, answers, reasons and topics are hostile markup. Returns their number."""
    texts = [case["text"] for case in cases("markup")]
    docs = [{"id": text, "problem": text, "gold": text, "topic": text, "level": text} for text in texts]
    responses = [f"So {text} it is. Final answer: {text}" for text in texts]
    file = write_run(folder, [False] * len(texts), docs=docs, responses=responses, model=f"org/{texts[0]}")

    def harm(i, row):
        row["filtered_resps"] = [[verdict(False, "symbolic", texts[i], texts[i])]]

    rewrite(file, harm)
    return len(texts)
