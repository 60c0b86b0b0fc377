"""A hypothesis that is registered before training, and its verdict afterwards.

hypothesis: RL after SFT beats SFT on word problems
better: smoke_grpo          # a recipe of the pipeline
than: smoke_sft             # another, or base
metric: accuracy
test: exact McNemar         # or sign-flip permutation, for scores that are fractions
alpha: 0.01                 # of a two-sided test
at_least: 0.02              # the difference that matters, as a share
buckets: level              # a field of the problems; each of its values is tested, too
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, NamedTuple

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from lm_eval_ext.analysis.compare import PairedTest, compare, paired_test
from lm_eval_ext.analysis.compare_output import p_value, points
from lm_eval_ext.analysis.pairing import SamplePair, doc_field
from lm_eval_ext.analysis.runs import Run
from lm_eval_ext.analysis.stats import holm
from lm_eval_ext.atomic import write_text
from lm_eval_ext.harness.errors import UserError
from lm_eval_ext.resume import read_json, write_json

from .recipe import BASE
from .stage import record

FILE, SEAL = "prereg.yaml", "prereg.json"
HEAD = ("problems", "n", "difference", "only better / only other", "p", "verdict")
CONFIRMED, CONTRADICTED, OPEN = "confirmed", "contradicted", "not confirmed"


class Registration(BaseModel):
    """What is claimed, and by which test; see the module."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    hypothesis: str = Field(min_length=1)
    better: str
    than: str = BASE
    metric: str = "accuracy"
    test: Literal["exact McNemar", "sign-flip permutation"] = "exact McNemar"
    alpha: float = Field(0.05, gt=0, lt=1)
    at_least: float = Field(0.0, ge=0, lt=1)
    buckets: str | None = None

    def verdict(self, difference: float, p: float) -> str:
        """Of a difference and its p-value."""
        if p > self.alpha:
            return OPEN
        if difference < 0:
            return CONTRADICTED
        return CONFIRMED if difference >= self.at_least else OPEN


def register(file: Path | None, out: Path, recipes: Iterable[str]) -> None:
    """Copies a registration into `out`, with its hash and the time; the same one again changes nothing.

    Args:
        recipes: names; each is a model that is evaluated, as the base is.

    Raises UserError if it cannot be read, names another model, comes after a training, or is not the one that
    `out` was begun with.
    """
    seal = read_json(out / SEAL)
    if file is None:
        if seal is not None:
            raise UserError(f"{out} has a registered hypothesis: give --prereg {out / FILE} to resume")
        return
    text = file.read_text("utf-8") if file.is_file() else ""
    given, models = _parsed(text, file), [BASE, *recipes]
    if unknown := sorted({given.better, given.than} - set(models)):
        raise UserError(f"{file}: no model {unknown[0]}; the pipeline has {', '.join(models)}")
    if seal is None and any(name.endswith(": train") for name in record(out)):
        raise UserError(f"{file}: {out} has trained already; a hypothesis is registered before")
    if seal is not None and seal["sha256"] != _hash(text):
        raise UserError(
            f"{file} is not what {out} was begun with ({out / FILE}); give that, or another --out"
        )
    if seal is None:
        write_text(out / FILE, text)
        now = datetime.now(UTC).isoformat(timespec="seconds")
        write_json(out / SEAL, {"sha256": _hash(text), "registered": now})


def registered(out: Path) -> tuple[Registration, str] | None:
    """The registration and its hash; None if there is none. Raises UserError if its file was changed."""
    if (seal := read_json(out / SEAL)) is None:
        return None
    text = (out / FILE).read_text("utf-8")
    if _hash(text) != seal["sha256"]:
        raise UserError(f"{out / FILE} was changed after it was registered at {seal['registered']}")
    return _parsed(text, out / FILE), str(seal["sha256"])


def verdicts(claim: Registration, runs: Sequence[Run]) -> list[list[str]]:
    """Rows under HEAD: all problems, then each bucket, whose p-values are corrected together (Holm).

    "undecided" where responses that the grader left undecided would change the verdict.
    """
    named = {run.name: run for run in runs}
    if missing := sorted({claim.better, claim.than} - set(named)):
        return [["all", "0", "", "", "", f"undecided: {missing[0]} was not evaluated"]]
    (unit,) = compare(named[claim.better], named[claim.than], metric=claim.metric).units
    whole = _Tested.of(unit.pairs)
    if whole.test.test != claim.test:
        why = f"undecided: the scores are tested by {whole.test.test}, registered is {claim.test}"
        return [whole.row("all", whole.test.p, why)]
    extremes = (_Tested.of(unit.pairs, 0, 1), _Tested.of(unit.pairs, 1, 0))
    both = {claim.verdict(each.difference, each.test.p) for each in extremes}
    rows = [whole.row("all", whole.test.p, both.pop() if len(both) == 1 else "undecided")]
    grouped = defaultdict(list)
    for pair in unit.pairs if claim.buckets else ():
        grouped[f"{claim.buckets} {doc_field(pair.a.doc, str(claim.buckets))}"].append(pair)
    buckets = {name: _Tested.of(pairs) for name, pairs in sorted(grouped.items())}
    corrected = holm([each.test.p for each in buckets.values()])
    for (name, each), p in zip(buckets.items(), corrected, strict=True):
        rows.append(each.row(name, p, claim.verdict(each.difference, p)))
    return rows


class _Tested(NamedTuple):
    """A paired test, the better model first."""

    n: int
    difference: float
    test: PairedTest

    @classmethod
    def of(cls, pairs: Sequence[SamplePair], first: float = 0.0, second: float = 0.0) -> _Tested:
        """With what an undecided response to the first and to the second model counts."""
        a = [pair.score_a + first * pair.a.scores.get("undecided", 0.0) for pair in pairs]
        b = [pair.score_b + second * pair.b.scores.get("undecided", 0.0) for pair in pairs]
        return cls(len(pairs), (sum(a) - sum(b)) / max(1, len(pairs)), paired_test(a, b))

    def row(self, name: str, p: float, verdict: str) -> list[str]:
        table = self.test.pairing
        flips = f"{table.only_a} / {table.only_b}" if table else ""
        return [name, str(self.n), points(self.difference), flips, p_value(p), verdict]


def _parsed(text: str, file: Path) -> Registration:
    try:
        return Registration.model_validate(yaml.safe_load(text) or {})
    except (yaml.YAMLError, ValidationError) as error:
        raise UserError(f"{file}: no registration: {' '.join(str(error).split())}") from None


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
