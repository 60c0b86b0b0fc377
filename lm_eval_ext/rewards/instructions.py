"""The verifier `ifeval`: instructions that can be checked (Zhou et al. 2023, arXiv 2311.07911).

The checkers are those of lm-eval's task `ifeval`; a row names them and their arguments::

    {"instruction_id_list": ["punctuation:no_comma", "length_constraints:number_words"],
     "kwargs": [{}, {"relation": "at least", "num_words": 40}]}

IFBench's (Pyatkin et al. 2025, arXiv 2507.02833) have the same interface and are in no package: they are read
from a checkout of github.com/allenai/IFBench that is on PYTHONPATH.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from io import StringIO
from pkgutil import resolve_name
from typing import Any

from lm_eval_ext.errors import UserError, required
from lm_eval_ext.grading.extraction import visible
from lm_eval_ext.rewards.types import Score

PACKAGES = ("langdetect", "immutabledict", "nltk")
IFEVAL = "lm_eval.tasks.ifeval.instructions_registry"
IFBENCH = "instructions_registry"
"""Modules with checkers; IFBench's is at the top of its repository."""
_PUNKT = "tokenizers/punkt_tab"
Follows = Callable[[str], bool]


@dataclass(frozen=True)
class InstructionScore(Score):
    """The score of a response, and which instructions it follows.

    Attributes:
        strict: as it is.
        loose: with or without its first line, its last line and its asterisks.
    """

    strict: tuple[bool, ...] = ()
    loose: tuple[bool, ...] = ()


class Instructions:
    """The share of a row's instructions that a response follows; correct if it follows all.

    Thinking is not read, as in grading.

    Args:
        loose: score by IFEval's loose criterion.
        registry: module with the checkers as `INSTRUCTION_DICT`.

    Raises UserError without the extra `ifeval`, NLTK's data `punkt_tab`, or the module.
    """

    def __init__(self, *, loose: bool = False, registry: str = IFEVAL) -> None:
        self.checkers = _checkers(registry)
        self.loose = loose

    def __call__(self, responses: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> list[InstructionScore]:
        """One score per response. Raises ValueError for a row without instructions."""
        return [self._score(*pair) for pair in zip(responses, rows, strict=True)]

    def _score(self, response: str, row: Mapping[str, Any]) -> InstructionScore:
        if not row.get("instruction_id_list") or len(row["instruction_id_list"]) != len(
            row.get("kwargs") or ()
        ):
            raise ValueError(
                "verifier ifeval: a row needs instruction_id_list and as many kwargs; it has "
                f"{', '.join(sorted(row)) or 'nothing'}"
            )
        try:
            checks = [
                _check(self.checkers, name, {"prompt": row.get("problem"), **(arguments or {})})
                for name, arguments in zip(row["instruction_id_list"], row["kwargs"], strict=True)
            ]
        except _Unknown as unknown:
            return InstructionScore(None, None, reason=str(unknown))
        answer = _visible(response)
        strict = tuple(_follows(check, [answer]) for check in checks)
        loose = tuple(_follows(check, variants(answer)) for check in checks)
        followed = loose if self.loose else strict
        missed = [name for name, good in zip(row["instruction_id_list"], followed, strict=True) if not good]
        told = f"follows {sum(followed)} of {len(followed)} instructions" + (", not " if missed else "")
        return InstructionScore(
            *(sum(followed) / len(followed), not missed, answer or None, told + ", ".join(missed)),
            strict=strict,
            loose=loose,
        )


def variants(response: str) -> Iterator[str]:
    """The texts of which one has to follow an instruction for IFEval's loose criterion."""
    lines = response.split("\n")
    for part in (lines, lines[1:], lines[:-1], lines[1:-1]):
        text = response if part is lines else "\n".join(part).strip()
        yield from (text, text.replace("*", ""))


class _Unknown(Exception):
    """An instruction that cannot be checked."""


def _check(checkers: Mapping[str, Any], name: str, arguments: Mapping[str, Any]) -> Follows:
    """The check of an instruction; arguments that are None belong to the other instructions of a table.

    Raises _Unknown for a name that has no checker, or without its arguments: it would draw them at random.
    """
    checker = checkers.get(name)
    if checker is None:
        raise _Unknown(f"there is no checker for the instruction {name!r}")
    instruction = checker(name)
    read = {*instruction.get_instruction_args_keys()}
    unread = {"prompt"} - read
    given = {key: value for key, value in arguments.items() if value is not None and key not in unread}
    if lacking := read - {*given}:
        raise _Unknown(f"the instruction {name} has no value for {', '.join(sorted(lacking))}")
    try:
        instruction.build_description(**given)
    except (TypeError, ValueError) as error:
        raise _Unknown(f"the instruction {name} does not take {given}: {error}") from error
    follows: Follows = instruction.check_following
    return follows


def _follows(check: Follows, texts: Sequence[str] | Iterator[str]) -> bool:
    return any(bool(text.strip() and check(text)) for text in texts)


def _visible(response: str) -> str:
    shown = visible(response)
    return shown if shown == response else shown.lstrip()


def instructions_of_ifbench(*, loose: bool = False) -> Instructions:
    """The verifier `ifbench`."""
    return Instructions(loose=loose, registry=IFBENCH)


@cache
def _checkers(registry: str) -> Mapping[str, Any]:
    """Name -> checker. Raises UserError if a package, its data or the registry is missing."""
    langdetect, _, nltk = (required(name, "the verifier ifeval", "ifeval") for name in PACKAGES)
    try:
        nltk.data.find(_PUNKT)
    except LookupError:
        if not nltk.download("punkt_tab", quiet=True, print_error_to=StringIO()):
            raise UserError(
                "the verifier ifeval needs NLTK's data punkt_tab, and it cannot be downloaded: run "
                "`python -m nltk.downloader punkt_tab` where there is a network; NLTK_DATA names its folder"
            ) from None
    langdetect.DetectorFactory.seed = 0  # or it decides by chance
    try:
        found: Mapping[str, Any] = resolve_name(f"{registry}:INSTRUCTION_DICT")
    except (ImportError, AttributeError) as error:
        raise UserError(
            f"the checkers in {registry} cannot be imported ({error}): for IFBench clone "
            "github.com/allenai/IFBench, install its requirements, and put its folder on PYTHONPATH"
        ) from error
    return found
