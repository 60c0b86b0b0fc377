"""One response taken apart for its page: thinking, the answer's place, how answer and gold were read."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from markupsafe import Markup

from lm_eval_ext.analysis import lm_eval_files
from lm_eval_ext.analysis.adapters import extractors
from lm_eval_ext.analysis.entries import Entry
from lm_eval_ext.analysis.pages.mathml import marked, rendered
from lm_eval_ext.grading import EXTRACTORS, pipeline
from lm_eval_ext.grading.answers.describe import describe
from lm_eval_ext.grading.extraction import Span, visible
from lm_eval_ext.grading.golds import GoldError, acceptable
from lm_eval_ext.grading.normalization import normalize
from lm_eval_ext.grading.rules import documented
from lm_eval_ext.view.folder import MANIFEST
from lm_eval_ext.view.query import Shown

MOST_READ = 400
"""Longer answers are not read again for the page."""
MOST_RENDERED = 40_000
"""Of longer responses the end is shown, unless all of it is asked for."""


@dataclass(frozen=True)
class Column:
    """A response on its page.

    Attributes:
        before: what is not visible to the grader: thinking.
        text: the visible response, with the answer highlighted.
        left_out: characters that are not shown.
        rows: name, of the answer, of the gold: as written, normalized, read.
        rule: what the rule that decided says.
    """

    shown: Shown
    before: str
    text: Markup
    left_out: int
    rows: tuple[tuple[str, str, str], ...]
    rule: str

    @property
    def entry(self) -> Entry:
        return self.shown.entry


def column(shown: Shown, full: bool) -> Column:
    """The response of a sample; `full`: all of it as source, else its end with formulas."""
    entry = shown.entry
    seen = visible(entry.text)
    before, _, _ = entry.text.rpartition(seen) if seen != entry.text else ("", "", "")
    span = EXTRACTORS[_extractor(shown)].find(entry.text)
    mark = _place(seen, entry.answer, span)
    cut = 0 if full or len(seen) <= MOST_RENDERED else len(seen) - MOST_RENDERED
    if full:
        text = Markup("<pre>{}</pre>").format(marked(seen, 0, len(seen), mark))
    else:
        text = rendered(seen[cut:], (max(0, mark[0] - cut), max(0, mark[1] - cut)) if mark else (0, 0))
    rule = (entry.verdict and entry.verdict.rule) or ""
    meaning = documented().ids.get(rule, "")
    return Column(shown, before, text, cut, tuple(_rows(entry, span)), meaning)


def _place(seen: str, answer: str | None, span: Span | None) -> tuple[int, int] | None:
    """Where the graded answer stands; today's extractor may find another one."""
    if answer is None or (span and span.text == answer):
        return (span.start, span.end) if span and answer is not None else None
    start = seen.rfind(answer)
    return (start, start + len(answer)) if start >= 0 else None


def _rows(entry: Entry, span: Span | None) -> list[tuple[str, str, str]]:
    try:
        gold = acceptable(entry.sample.doc.get("gold", entry.sample.gold))[0]
    except GoldError:
        gold = entry.sample.gold
    answer = entry.answer
    if answer is None:
        return [("as written", "", gold), ("read as", "", _read(gold))]
    if max(len(answer), len(gold)) > MOST_READ:
        return [("as written", answer, gold)]
    said, stated = pipeline.in_english(answer, gold, span.language if span else None)
    return [
        ("as written", answer, gold),
        ("normalized", normalize(answer), normalize(gold)),
        ("read as", _read(said), _read(stated)),
    ]


def _read(text: str) -> str:
    return describe(text) if len(text) <= MOST_READ else ""


def _extractor(shown: Shown) -> str:
    results, task = Path(shown.row["results"]), shown.row["task"]
    config = _configs(results, results.stat().st_mtime_ns).get(task) or {}
    found = extractors(task, config)
    return found.get(shown.row["filter"]) or next(iter(found.values()))


@lru_cache(maxsize=32)
def _configs(results: Path, changed: int) -> dict[str, dict[str, object]]:
    if results.name == MANIFEST:  # of a run without results
        return {}
    configs: dict[str, dict[str, object]] = lm_eval_files.read_results(results)["configs"]
    return configs
