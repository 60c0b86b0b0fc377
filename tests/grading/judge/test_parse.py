import pytest

from lm_eval_ext.grading.judge.llm_judge import parse_reply

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    "reply, kind",
    [
        *((text, "yes") for text in ("YES", "yes", " Yes.\n", "**YES**", '"YES"', "`yes`", "YES!")),
        *((text, "no") for text in ("NO", "no", "No.", "__NO__", "\nNO\n")),
        ("<think>It is not equal... NO? Yes it is.</think>\n\nYES", "yes"),
        *(
            (text, None)
            for text in (
                *("", "   ", "Y", "YES NO", "YES, they are equal", "The answer is YES", "YESNO", "NOT"),
                *("Yes\nNo", "nope", "1", "YES <think>NO</think>", "<think>YES", "\u202eSEY", "ＹＥＳ"),
            )
        ),
    ],
)
def test_one_of_two_words_or_nothing(reply, kind):
    assert parse_reply(reply) == kind
