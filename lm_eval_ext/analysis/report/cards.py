"""The samples page: select responses and group them by problem."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from lm_eval_ext.analysis.entries import NO_ANSWER, OUTCOMES, RIGHT, UNDECIDED, Entry
from lm_eval_ext.analysis.pairing import doc_field
from lm_eval_ext.analysis.report.disagreements import Place, place_of, split_problems
from lm_eval_ext.analysis.report.model import Part, Report
from lm_eval_ext.analysis.runs import Sample

Response = tuple[Part, Entry]


@dataclass(frozen=True)
class Card:
    """A problem and its responses. `divided`: some runs solve it and others do not."""

    number: int
    unit: str
    about: str
    divided: bool
    responses: tuple[Response, ...]

    @property
    def sample(self) -> Sample:
        return self.responses[0][1].sample


@dataclass(frozen=True)
class Page:
    """The cards, and one line per run about the responses left out."""

    cards: tuple[Card, ...]
    left_out: tuple[str, ...]

    @property
    def numbers(self) -> dict[tuple[str, str], int]:
        """The number of each card, by its unit and the name of its problem."""
        return {(card.unit, card.sample.name): card.number for card in self.cards[::-1]}


def page(report: Report) -> Page:
    """At most `options.samples` responses per run: flips first, then undecided, wrong and right ones."""
    divided = {(split.unit, split.place) for split in split_problems(report)}
    held: dict[tuple[str, Place], list[Response]] = {}
    left_out: list[str] = []

    def key(response: Response) -> tuple[str, Place]:
        return response[0].name, place_of(response[1].sample, report.options.pair_on)

    for number, run in enumerate(report.runs):
        every = [(part, entry) for part in report.units if part.run == number for entry in part.entries]
        every.sort(key=lambda response: 0 if key(response) in divided else _rank(response[1]))
        for response in every[: report.options.samples]:
            held.setdefault(key(response), []).append(response)
        left_out += _said(run.name, every, report.options.samples)

    def order(place: tuple[str, Place]) -> tuple[int, bool, int]:
        worst = min(_rank(entry) for _, entry in held[place])
        return report.unit_names.index(place[0]), place not in divided, worst

    cards = (_card(i, at[0], held[at], at in divided, report) for i, at in enumerate(sorted(held, key=order)))
    return Page(tuple(cards), tuple(left_out))


def _rank(entry: Entry) -> int:
    return {UNDECIDED: 1, RIGHT: 4, NO_ANSWER: 3}.get(entry.outcome, 2)


def _said(run: str, ranked: Sequence[Response], most: int) -> Iterator[str]:
    if rest := Counter(entry.outcome for _, entry in ranked[most:]):
        listed = ", ".join(f"{rest[name]} {name}" for name in OUTCOMES if rest[name])
        yield f"{run}: {most} of {len(ranked)} responses are here; left out: {listed}"


def _card(number: int, unit: str, held: Sequence[Response], divided: bool, report: Report) -> Card:
    sample = held[0][1].sample
    values = (doc_field(sample.doc, name) for name in report.options.fields)
    about = dict.fromkeys([sample.task, *(str(value) for value in values if value is not None)])
    return Card(number, unit, " · ".join(about), divided, tuple(held))
