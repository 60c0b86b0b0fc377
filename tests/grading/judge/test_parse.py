import pytest

from lm_eval_ext.grading.judge.parse import parse_reply

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    "reply, equal",
    [
        *((text, True) for text in ("YES", "yes", " Yes.\n", "**YES**", '"YES"', "`yes`", "YES!")),
        *((text, False) for text in ("NO", "no", "No.", "__NO__", "\nNO\n")),
        ("<think>It is not equal... NO? Yes it is.</think>\n\nYES", True),
        *(
            (text, None)
            for text in (
                *("", "   ", "Y", "YES NO", "YES, they are equal", "The answer is YES", "YESNO", "NOT"),
                *("Yes\nNo", "nope", "1", "YES <think>NO</think>", "<think>YES", "\u202eSEY", "ＹＥＳ"),
            )
        ),
    ],
)
def test_one_of_two_words_or_nothing(reply, equal):
    assert parse_reply(reply) is equal
