"""The verifier `ifeval` says what lm-eval's task says, with partial credit."""

import nltk
import pytest
from datasets import Dataset

from lm_eval_ext.errors import UserError
from lm_eval_ext.harness.docs import ifeval
from lm_eval_ext.harness.sources import SAMPLE
from lm_eval_ext.rewards import instructions, verifier
from tests.rewards.instructed import FOLLOWING

pytestmark = [pytest.mark.unit, pytest.mark.usefixtures("punkt")]

OTHERS = [
    "",
    "It rains, it snows.",
    "I will not follow this, ever.",
    "Sure, here it is:\n{}",
    "**Note** [a] [b]\n* x\n* y\n* z\nP.S. Stay warm.",
]


@pytest.fixture(scope="module")
def docs():
    return list(ifeval.dataset(SAMPLE)["test"])


def theirs(doc, response):
    from lm_eval.tasks.ifeval import utils

    return utils.process_results({**doc, "key": 0, "prompt": doc["problem"]}, [response])


def test_verdicts_are_those_of_lm_eval(docs):
    pairs = [(text, doc) for doc, good in zip(docs, FOLLOWING, strict=True) for text in (good, *OTHERS)]
    responses, rows = zip(*pairs, strict=True)
    for response, doc, score in zip(responses, rows, verifier("ifeval")(responses, rows), strict=True):
        expected = theirs(doc, response)
        assert list(score.strict) == expected["inst_level_strict_acc"], (response, doc)
        assert list(score.loose) == expected["inst_level_loose_acc"], (response, doc)
        assert score.correct is expected["prompt_level_strict_acc"]


def test_the_packaged_prompts_can_be_followed(docs):
    for score, response in zip(verifier("ifeval")(FOLLOWING, docs), FOLLOWING, strict=True):
        assert score.correct, (response, score)


ROW = {
    "instruction_id_list": ["punctuation:no_comma", "length_constraints:number_words", "startend:quotation"],
    "kwargs": [{}, {"relation": "at least", "num_words": 3}, {}],
}


def test_partial_credit():
    responses = ['"one two three"', "one two three", "one, two", "one two", ""]
    scores = verifier("ifeval")(responses, [ROW] * 5)
    assert [score.value for score in scores] == pytest.approx([1, 2 / 3, 0, 1 / 3, 0])
    assert [score.correct for score in scores] == [True, False, False, False, False]
    assert scores[1].reason == "follows 2 of 3 instructions, not startend:quotation"
    assert scores[4].answer is None


def test_the_loose_criterion_ignores_the_first_line():
    response = 'Sure, here it is:\n"one two three"'
    (strict,), (loose,) = (verifier("ifeval", loose=flag)([response], [ROW]) for flag in (False, True))
    assert (strict.value, loose.value) == (pytest.approx(1 / 3), 1) and strict.loose == loose.loose


def test_arguments_that_are_none_are_left_out():
    """A data set gives each struct of a list all fields; IFEval scored 0 when they were passed on."""
    filled = Dataset.from_list([ROW])[0]
    assert filled["kwargs"][0] == {"num_words": None, "relation": None}
    assert verifier("ifeval")(['"one two three"'], [filled])[0].correct


def test_thinking_is_not_read():
    responses = ['<think>One, two,</think>\n"one two three"', "<think>one two three, four"]
    assert [s.value for s in verifier("ifeval")(responses, [ROW] * 2)] == [1, 0]


@pytest.mark.parametrize(
    ("name", "kwargs", "why"),
    [
        ("no:such", {}, "no checker for the instruction 'no:such'"),
        ("length_constraints:number_words", {"num_words": 3}, "has no value for relation"),
        ("length_constraints:number_words", {"num_words": 3, "relation": "about"}, "does not take"),
        ("punctuation:no_comma", {"extra": 3}, "does not take"),
    ],
)
def test_what_cannot_be_checked_is_undecided(name, kwargs, why):
    (score,) = verifier("ifeval")(["x"], [{"instruction_id_list": [name], "kwargs": [kwargs]}])
    assert (score.value, score.correct) == (None, None) and why in score.reason


def test_rows_without_instructions_are_refused():
    with pytest.raises(ValueError, match="needs instruction_id_list and as many kwargs; it has gold"):
        verifier("ifeval")(["x"], [{"gold": "1"}])


@pytest.fixture
def fresh():
    instructions._checkers.cache_clear()
    yield
    instructions._checkers.cache_clear()


def test_a_missing_package_is_named_in_one_line(fresh, monkeypatch):
    monkeypatch.setattr(instructions, "PACKAGES", ("no_such_package", "x", "y"))
    with pytest.raises(
        UserError, match=r"^the verifier ifeval needs no_such_package: pip install .*\[ifeval\]'$"
    ):
        verifier("ifeval")


def test_missing_data_is_named_in_one_line(fresh, monkeypatch, capfd):
    monkeypatch.setattr(nltk.data, "path", [])
    monkeypatch.setattr(nltk, "download", lambda *_, **__: False)
    with pytest.raises(UserError, match=r"needs NLTK's data punkt_tab.* NLTK_DATA") as refusal:
        verifier("ifeval")
    assert "\n" not in str(refusal.value) and capfd.readouterr() == ("", "")


REGISTRY = """
class Starts:
    def __init__(self, name): self.word = None
    def get_instruction_args_keys(self): return ["prompt", "word"]
    def build_description(self, *, prompt, word): self.prompt, self.word = prompt, word
    def check_following(self, value): return value.startswith(self.word) and self.prompt not in value
INSTRUCTION_DICT = {"made:starts": Starts}
"""


def test_ifbench_is_checked_by_the_registry_of_its_repository(tmp_path, monkeypatch):
    (tmp_path / "instructions_registry.py").write_text(REGISTRY)
    monkeypatch.syspath_prepend(tmp_path)
    instructions._checkers.cache_clear()
    row = {"problem": "Say X", "instruction_id_list": ["made:starts"], "kwargs": [{"word": "Yes", "n": None}]}
    scores = verifier("ifbench")(["Yes.", "No.", "Yes. Say X"], [row] * 3)
    assert [score.correct for score in scores] == [True, False, False]
    docs = list(ifeval.dataset(SAMPLE, "ifbench")["test"])
    assert {score.correct for score in verifier("ifbench")(["x"] * len(docs), docs)} == {
        None
    }  # not its names


def test_ifbench_without_its_repository_says_what_to_do(monkeypatch):
    monkeypatch.setattr(instructions, "IFBENCH", "no_such_registry")
    with pytest.raises(UserError, match=r"no_such_registry cannot be imported .*allenai/IFBench"):
        instructions.instructions_of_ifbench()
