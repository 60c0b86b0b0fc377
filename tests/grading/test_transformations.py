"""Right answers stay right in other notation, with other letters, in another order."""

import pytest

from tests.conftest import cases
from tests.grading import notation, real

pytestmark = pytest.mark.unit

SHARE = 0.99


@pytest.mark.parametrize(
    "name, answer, other",
    [
        ("in Unicode", r"\frac{\sqrt{3}}{2}", "((√(3))/2)"),
        ("in Unicode", r"$x^2 \le \pi$", "x² ≤ π"),
        ("in plain text", r"x^{2} \cdot \sqrt{2}", "x^2 * sqrt(2)"),
        ("in plain text", r"x \in \mathbb{R}", None),
        ("in LaTeX", "1/2 ≤ sqrt(3)", r"$\frac{1}{2} \le  \sqrt{3}$"),
        ("in LaTeX", "all primes ≤ 5", None),
        ("another argument", "f(x) = ax + exp(x) for all x", "f(u) = au + exp(u) for all u"),
        ("another parameter", "all integers k", None),
        ("another parameter", r"x = 2k\pi, k \in \mathbb{Z}", r"x = 2m\pi, m \in \mathbb{Z}"),
        ("backwards", "x = 1, y = 2", "y = 2, x = 1"),
        ("backwards", "(1, 2), (3, 4)", "(3, 4), (1, 2)"),
        ("backwards", r"\{1, 2, 3\}", r"\{3, 2, 1\}"),
        ("backwards", "1, 2", None),
    ],
)
def test_converters(name, answer, other):
    assert notation.TRANSFORMATIONS[name](answer) == other


def changed(pairs):
    """(name, changed answer, gold) of every transformation that applies."""
    for name, transform in notation.TRANSFORMATIONS.items():
        for answer, gold in sorted(set(pairs)):
            if (other := transform(answer)) is not None:
                yield name, other, gold


def holds(pairs, at_least):
    """Asserts that the verdict stays for 99% of the changed answers."""
    found = list(changed(pairs))
    lost = [(name, answer, gold) for name, answer, gold in found if not real.decided(answer, gold)]
    assert len(found) >= at_least
    assert len(lost) <= (1 - SHARE) * len(found), f"{len(lost)} of {len(found)}: {lost}"
    return {name for name, _, _ in found}


def test_right_answers_of_the_cases_stay_right():
    rows = [(case["answer"], case["gold"]) for case in cases("answers") if case["equal"]]
    right = [(answer, gold) for answer, gold in rows if real.decided(answer, gold)]
    names = holds(right + [(gold, gold) for _, gold in right], at_least=200)
    assert names == set(notation.TRANSFORMATIONS)


def test_real_right_answers_stay_right(real_data):
    given = real.right_answers(real_data)
    holds([(g.answer, g.gold) for g in given], at_least=350)
