"""The problems that ship with the package: every gold grades itself, and computations confirm the answers."""

import pytest

from lm_eval_ext.grading import Item, shared_grader
from lm_eval_ext.harness.docs import competitions, gsm8k, math, mathnet
from lm_eval_ext.harness.sources import SAMPLE, HubDataset, load
from tests.sample_checks import aime, contests, open_ended
from tests.sample_checks import gsm8k as gsm8k_checks
from tests.sample_checks import hendrycks_math as math_checks
from tests.sample_checks import mathnet as mathnet_checks

pytestmark = pytest.mark.unit


def golds() -> dict[str, str]:
    """Gold answers by the keys of the checks."""
    found = {doc["id"]: doc["gold"] for doc in mathnet.splits(SAMPLE)[0]}
    for subject in math.SUBJECTS:
        docs = math.test_docs((subject,), SAMPLE)
        found |= {f"hendrycks_math/{subject}/test/{i}": doc["gold"] for i, doc in enumerate(docs)}
    train = math.train_docs(data=SAMPLE)
    found |= {f"hendrycks_math/algebra/train/{i}": doc["gold"] for i, doc in enumerate(train)}
    rows = math.math500_dataset(SAMPLE)["test"]
    found |= {f"math500/test/{i}": row["gold"] for i, row in enumerate(rows)}
    for split in ("train", "test"):
        rows = load(gsm8k.HUB, (split,), SAMPLE)
        found |= {f"gsm8k/{split}/{i}": gsm8k.to_doc(row)["gold"] for i, row in enumerate(rows)}
    for name, hub in competitions.BENCHMARKS.items():
        docs = competitions.dataset(name, data=SAMPLE)["test"]
        found |= {f"{hub.folder}/test/{i}": doc["gold"] for i, doc in enumerate(docs)}
    return found


GOLDS = golds()
CHECKS = {**mathnet_checks.CHECKS, **math_checks.CHECKS, **gsm8k_checks.CHECKS}
CHECKS |= {**aime.CHECKS, **contests.CHECKS, **open_ended.CHECKS}
UNCHECKED = {**mathnet_checks.UNCHECKED, **math_checks.UNCHECKED, **gsm8k_checks.UNCHECKED}


def test_there_are_enough_of_them():
    assert len(load(mathnet.HUB, ("eval",), SAMPLE)) >= 60
    docs = math.test_docs(math.SUBJECTS, SAMPLE)
    assert len(docs) >= 56
    assert {doc["level"] for doc in docs} == {1, 2, 3, 4, 5}
    for name in competitions.BENCHMARKS:
        assert len(competitions.dataset(name, data=SAMPLE)["test"]) >= 6


def test_every_problem_is_checked_or_says_why_not():
    assert set(CHECKS) | set(UNCHECKED) == set(GOLDS)
    assert not set(CHECKS) & set(UNCHECKED)


@pytest.mark.parametrize("key", sorted(CHECKS))
def test_a_computation_gives_the_gold(key):
    computed = CHECKS[key]()
    verdict = shared_grader().grade([Item(f"Final answer: {computed}", GOLDS[key])])[0]
    same_text = computed.split() == GOLDS[key].split()
    assert verdict.correct or same_text, f"computed {computed!r}, gold {GOLDS[key]!r}: {verdict}"


def test_every_gold_grades_itself():
    keys = list(GOLDS)
    verdicts = shared_grader().grade([Item(rf"\boxed{{{GOLDS[key]}}}", GOLDS[key]) for key in keys])
    assert [key for key, v in zip(keys, verdicts, strict=True) if not v.correct] == []


def test_no_problem_is_there_twice():
    problems = [doc["problem"] for doc in mathnet.splits(SAMPLE)[0]]
    docs = math.test_docs(math.SUBJECTS, SAMPLE) + math.train_docs(data=SAMPLE)
    problems += [doc["problem"] for doc in docs]
    problems += [row["problem"] for row in load(HubDataset("math500", ""), ("test",), SAMPLE)]
    for name in competitions.BENCHMARKS:
        problems += competitions.dataset(name, data=SAMPLE)["test"]["problem"]
    assert len(set(problems)) == len(problems)
