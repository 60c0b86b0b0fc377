"""The samples page: select responses, group them by problem and render their mathematics."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup
from tqdm import tqdm

from lm_eval_ext.analysis.pairing import doc_field
from lm_eval_ext.analysis.report.disagreements import Place, place_of, split_problems
from lm_eval_ext.analysis.report.entries import ERROR, NO_ANSWER, OUTCOMES, RIGHT, UNDECIDED, Entry
from lm_eval_ext.analysis.report.mathml import rendered
from lm_eval_ext.analysis.report.model import Part, Report

_MOST_SHOWN = 600
"""Characters shown of an answer or a reason, which may quote a whole page."""


@dataclass(frozen=True)
class Shown:
    """One response on the page.

    Attributes:
        head, tail: the parts of the response that are shown; `omitted` characters lie between them.
    """

    run: int
    run_name: str
    outcome: str
    layer: str
    answer: Markup | None
    reason: str
    tokens: int | None
    head: str
    omitted: int
    tail: str


@dataclass(frozen=True)
class Card:
    """A problem and its responses. `divided`: some runs solve it and others do not."""

    number: int
    unit: str
    name: str
    problem: Markup
    gold: Markup
    about: str
    divided: bool
    responses: tuple[Shown, ...]


@dataclass(frozen=True)
class Page:
    """The cards, and one line per run about the responses left out."""

    cards: tuple[Card, ...]
    left_out: tuple[str, ...]

    def number_of(self, unit: str, name: str) -> int | None:
        """The number of a problem's card, if it is on the page."""
        return next((c.number for c in self.cards if (c.unit, c.name) == (unit, name)), None)


def page(report: Report, *, progress: bool = False) -> Page:
    """At most `options.samples` responses per run: flips first, then undecided, wrong and right ones."""
    divided = {(s.unit, s.place) for s in split_problems(report, None)}
    held: dict[tuple[str, Place], list[tuple[Part, Entry]]] = {}
    left_out: list[str] = []
    for number, run in enumerate(report.runs):
        every = [(p, e) for p in report.units if p.run == number for e in p.entries]
        every.sort(key=lambda pair: _rank(pair[1], (pair[0].name, _place(report, pair[1])) in divided))
        for part, entry in every[: report.options.samples]:
            held.setdefault((part.name, _place(report, entry)), []).append((part, entry))
        left_out += _said(run.name, every, report.options.samples)
    order = {name: i for i, name in enumerate(report.unit_names)}
    places = sorted(held, key=lambda key: (order[key[0]], key not in divided, _worst(held[key])))
    bar = tqdm(places, "rendering", disable=not progress, unit="problem")
    cards = [_card(i, key[0], held[key], key in divided, report) for i, key in enumerate(bar)]
    return Page(tuple(cards), tuple(left_out))


def clip(text: str, most: int) -> tuple[str, int, str]:
    """(head, number of omitted characters, tail) of a text; the tail is longer, since it has the answer."""
    if len(text) <= most:
        return "", 0, text
    head = most // 4
    return text[:head], len(text) - most, text[head - most :]


def _place(report: Report, entry: Entry) -> Place:
    return place_of(entry.sample, report.options.pair_on)


def _rank(entry: Entry, divided: bool) -> int:
    if divided:
        return 0
    return {UNDECIDED: 1, RIGHT: 4, NO_ANSWER: 3}.get(entry.outcome, 2)


def _worst(held: Sequence[tuple[Part, Entry]]) -> int:
    return min(_rank(entry, False) for _, entry in held)


def _said(run: str, ranked: Sequence[tuple[Part, Entry]], most: int) -> Iterator[str]:
    rest = Counter(entry.outcome for _, entry in ranked[most:])
    if rest:
        listed = ", ".join(f"{rest[name]} {name}" for name in OUTCOMES if rest[name])
        yield f"{run}: {most} of {len(ranked)} responses are here; left out: {listed}"


def _card(number: int, unit: str, held: Sequence[tuple[Part, Entry]], divided: bool, report: Report) -> Card:
    sample = held[0][1].sample
    about = [str(v) for name in report.options.fields if (v := doc_field(sample.doc, name)) is not None]
    name = str(sample.doc.get("id", sample.doc_hash[:8]))
    return Card(
        number=number,
        unit=unit,
        name=name,
        problem=rendered(sample.problem),
        gold=rendered(sample.gold),
        about=" · ".join(dict.fromkeys([sample.task, *about])),
        divided=divided,
        responses=tuple(_shown(part, entry, report.options.response_chars) for part, entry in held),
    )


def _shown(part: Part, entry: Entry, most: int) -> Shown:
    head, omitted, tail = clip(entry.text, most)
    reason = entry.sample.error if entry.outcome == ERROR else entry.verdict and entry.verdict.reason
    answer = None if entry.answer is None else rendered(entry.answer[:_MOST_SHOWN])
    layer = entry.layer or "not known"
    return Shown(
        part.run, part.run_name, entry.outcome, layer, answer, (reason or "")[:_MOST_SHOWN], entry.tokens,
        head, omitted, tail,
    )  # fmt: skip
