"""The pages: what each shows, as HTML. Every state of a page is in its address."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from lm_eval_ext.analysis import pages as shared
from lm_eval_ext.analysis.entries import RIGHT
from lm_eval_ext.analysis.intervals import wilson
from lm_eval_ext.analysis.tables import Estimate
from lm_eval_ext.grading.types import LAYERS
from lm_eval_ext.view import query
from lm_eval_ext.view.folder import MANIFEST
from lm_eval_ext.view.follow import View
from lm_eval_ext.view.index import UNKNOWN
from lm_eval_ext.view.reading import column

PER_PAGE = 25
DECIDED = (
    *(layer for layer in LAYERS if layer != "none"),
    "correct",
    "undecided",
    "wrong",
    "no answer",
    "error",
)
"""What the first page counts: the layer that found a response right ("correct": another grader), outcomes."""
CELLS = (
    ("flips", "all that flipped"), ("only_a", "only the first right"), ("only_b", "only the second right"),
    ("both", "both right"), ("neither", "neither right"),
)  # fmt: skip
Given = Mapping[str, str]
"""The query of an address."""


class Missing(LookupError):
    """There is no such page."""


@dataclass
class Line:
    """A task or group of a run on the first page.

    Attributes:
        part: whether it is a task of a group.
        shares: number of responses by what decided, or by outcome.
        so_far: whether the run has no results yet.
    """

    run: str
    model: str
    name: str
    part: bool
    metric: str
    so_far: bool
    scores: list[tuple[int, float, float]] = field(default_factory=list)
    shares: dict[str, int] = field(default_factory=dict)
    bytes: int = 0
    size: int = 0

    @property
    def n(self) -> int:
        return sum(self.shares.values())

    @property
    def counts(self) -> list[int]:
        return [self.shares.get(name, 0) for name in DECIDED]

    @property
    def read(self) -> float:
        """Share of its samples that are in the index."""
        return self.bytes / self.size if self.size else 1.0

    @property
    def estimate(self) -> Estimate | None:
        """The mean score with Wilson's interval, or a normal one for fractions."""
        n, total, squares = (sum(part) for part in zip(*self.scores, strict=True))
        if not n:
            return None
        mean = total / n
        if total == squares:
            interval = wilson(round(total), round(n))
            return Estimate(mean, interval.low, interval.high, round(n))
        error = 1.96 * (max(0.0, squares / n - mean**2) / n) ** 0.5
        return Estimate(mean, max(0.0, mean - error), min(1.0, mean + error), round(n))


def overview(view: View, given: Given) -> str:
    """All runs with their scores, what decided, and what is not finished."""
    with closing(view.index.open()) as db:
        lines = list(_lines(db))
        faults = [row["text"] for row in db.execute("SELECT text FROM faults")]
    faults = [*view.found.faults, *faults]
    runs = list(dict.fromkeys(line.run for line in lines))
    present = [name for name in DECIDED if any(name in line.shares for line in lines)]
    return _render(
        view, "overview.html", here="/", lines=lines, faults=faults, runs=runs, decided=DECIDED,
        present=present, unfinished=view.found.unfinished,
    )  # fmt: skip


def samples(view: View, given: Given) -> str:
    """The samples that filters and a search leave."""
    with closing(view.index.open()) as db:
        words, start = given.get("q", ""), (_number(given, "page", 1) - 1) * PER_PAGE
        count, after = query.total(db, given), None
        if words:
            rows, after = query.search(db, given, words, after=_number(given, "after", 0), most=PER_PAGE)
        else:
            rows = query.page(db, given, start, PER_PAGE)
        facets = query.facets(db, given)
    return _render(
        view, "list.html", here="/samples", given=given, facets=facets, rows=list(map(query.shown, rows)),
        count=count, start=start, after=after, last=max(1, -(-count // PER_PAGE)),
    )  # fmt: skip


def sample(view: View, given: Given) -> str:
    """One response in full, beside the response of another run (`with`) if one is named."""
    with closing(view.index.open()) as db:
        row = query.find(db, given)
        if row is None:
            raise Missing("There is no such sample: its run was removed, or is not read yet.")
        filters = {name: given[f"in_{name}"] for name in query.FACETS if given.get(f"in_{name}")}
        words = given.get("q", "")
        back, forth = (query.neighbour(db, filters, words, row["id"], back=b) for b in (True, False))
        others = query.elsewhere(db, row)
    wanted = [
        row,
        *(one for one in others if one["run"] == given.get("with") and one["repeat"] == row["repeat"]),
    ]
    columns = [column(query.shown(one), full="source" in given) for one in wanted]
    up = address("/samples", {**filters, "q": words})
    return _render(
        view,
        "sample.html",
        given=given,
        columns=columns,
        others=others,
        row=row,
        back=back,
        forth=forth,
        up=up,
    )


def compare(view: View, given: Given) -> str:
    """Two runs on the problems that both have, and those on which they differ."""
    from lm_eval_ext.view.comparison import compared

    with closing(view.index.open()) as db:
        files = db.execute("SELECT * FROM files ORDER BY place").fetchall()
        runs = list(dict.fromkeys(file["run"] for file in files))
        a, b, cell = given.get("a", ""), given.get("b", ""), given.get("show", "flips")
        if cell not in query.CELLS:
            raise ValueError(f"show is {cell!r}; it must be one of {', '.join(query.CELLS)}")
        tasks = [compared(db, *pair, view.index.version) for pair in _shared(files, a, b)]
        chosen = next((task for task in tasks if task.name == given.get("task")), tasks[0] if tasks else None)
        start = (_number(given, "page", 1) - 1) * PER_PAGE
        found = query.pairs(db, *chosen.files, cell, start, PER_PAGE) if chosen else []
        pairs = [(query.shown(one), query.shown(other)) for one, other in found]
    return _render(
        view, "compare.html", here="/compare", cells=CELLS, given=given, runs=runs, a=a, b=b, tasks=tasks,
        chosen=chosen, cell=cell, pairs=pairs,
        start=start,
    )  # fmt: skip


def message(view: View, text: str) -> str:
    """A page with one sentence."""
    return _render(view, "message.html", text=text)


def address(path: str, given: Given, **changes: object) -> str:
    """The address of a page, with changes to the query; None leaves a name out."""
    merged = {**given, **{name.rstrip("_"): value for name, value in changes.items()}}
    kept = {name: value for name, value in merged.items() if value not in (None, "")}
    return f"{path}?{urlencode(kept)}" if kept else path


def sample_link(shown: query.Shown, given: Given) -> str:
    """The address of a sample's page, which keeps the filters for the next and the previous one."""
    filters = {f"in_{name}": given[name] for name in query.FACETS if given.get(name)}
    return address("/sample", {**shown.link, **filters, "q": given.get("q", "")})


def _render(view: View, template: str, **values: Any) -> str:
    environment = shared.environment("lm_eval_ext.view")
    environment.globals |= {"at": address, "sample_link": sample_link}
    made = environment.get_template(template)
    given = defaultdict(str, values.pop("given", {}))
    return made.render({"here": "", "view": view, "facet_names": query.FACETS, **values, "given": given})


def _lines(db: sqlite3.Connection) -> Iterator[Line]:
    """The tasks of all runs, each group before its own."""
    groups: dict[tuple[str, str], Line] = {}
    decided = _decided(db)
    for file in db.execute("SELECT * FROM files ORDER BY place").fetchall():
        head, made = (file["run"], file["model"]), []
        rest = (file["metric"] or "", Path(file["results"]).name == MANIFEST)
        if file["team"] and (file["run"], file["team"]) not in groups:
            members = db.execute(
                "SELECT * FROM files WHERE run = ? AND team = ?", (file["run"], file["team"])
            ).fetchall()
            line = Line(*head, file["team"], False, *rest)
            groups[file["run"], file["team"]] = line
            made.append((line, members))
        made.append((Line(*head, file["task"], bool(file["team"]), *rest), [file]))
        for line, members in made:
            for one in members:
                line.scores.append((one["scored"], one["total"], one["squares"]))
                line.bytes, line.size = line.bytes + one["bytes"], line.size + one["size"]
                for name, n in decided.get(one["id"], {}).items():
                    line.shares[name] = line.shares.get(name, 0) + n
            yield line


def _decided(db: sqlite3.Connection) -> dict[int, dict[str, int]]:
    """By file: responses by the layer that found them right, else by outcome."""
    found: dict[int, dict[str, int]] = {}
    for file, outcome, layer, n in db.execute(
        "SELECT file, outcome, layer, sum(n) FROM kinds GROUP BY 1, 2, 3"
    ):
        name = ("correct" if layer == UNKNOWN else layer) if outcome == RIGHT else outcome
        counts = found.setdefault(file, {})
        counts[name] = counts.get(name, 0) + n
    return found


def _shared(files: list[sqlite3.Row], a: str, b: str) -> Iterator[tuple[sqlite3.Row, sqlite3.Row]]:
    theirs = {file["task"]: file for file in files if file["run"] == b}
    for file in files:
        if file["run"] == a and file["task"] in theirs:
            yield file, theirs[file["task"]]


def _number(given: Given, name: str, default: int) -> int:
    text = given.get(name, "")
    if text and not (text.isdecimal() and len(text) < 12):
        raise ValueError(f"{name} is {text!r}; it must be a number")
    return max(default, int(text)) if text else default
