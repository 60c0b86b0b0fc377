"""Rules of functions, formulas and families."""

from __future__ import annotations

from lm_eval_ext.grading.rules.rule import Rule

RULES = (
    Rule(
        "functions and sequences",
        "The letters for a function and its argument do not matter.",
        (("f(t) = t^2", "f(x) = x^2"), ("g(x) = 2x", "f(x) = 2x"), ("x^2", "f(x) = x^2")),
        (("f(t) = t^3", "f(x) = x^2"), ("f(x) = x + 1", "f(x) = x")),
    ),
    Rule(
        "functions and sequences",
        "All functions of a list are needed, in any order.",
        (
            ("f(x) = x or f(x) = 0", "f(x) = 0, f(x) = x"),
            ("f(x) = 0 and f(x) = 2 - x", "f(x) = 2 - x; f(x) = 0"),
        ),
        (("f(x) = 0", "f(x) = 0, f(x) = x"), ("f(x) = x, f(x) = 1", "f(x) = 0, f(x) = x")),
    ),
    Rule(
        "functions and sequences",
        "A sequence is its general term; from where it starts may be said or not.",
        (("a_n = 2n - 1", "a_k = 2k - 1"), (r"a_n = 2n - 1 \text{ for } n \ge 1", "a_n = 2n - 1")),
        (("a_n = 2n + 1", "a_n = 2n - 1"), ("a_n = 2n - 1", "a_3 = 5")),
    ),
    Rule(
        "functions and sequences",
        "The usual domain of the argument may be said or not; a smaller one is another answer.",
        (("f(x) = x for all real x", "f(x) = x"), ("f(x) = 1/x", "f(x) = 1/x for x > 0")),
        (("f(x) = x for x < 0", "f(x) = x"), ("f(x) = x for 0 < x < 1", "f(x) = x")),
    ),
    Rule(
        "functions and sequences",
        "Constants in a function may have any letter; what limits them counts.",
        (("f(x) = cx, where c is a real constant", "f(x) = kx"), ("f(x) = ax + b", "f(x) = cx + d")),
        (
            ("f(x) = cx, c > 0", "f(x) = cx"),
            ("f(x) = cx + 1", "f(x) = cx + d"),
            ("f(x) = ax + a", "f(x) = cx + d"),
        ),
    ),
    Rule(
        "formulas in letters",
        "Formulas are equal if they are the same function of their letters.",
        (("(x+1)^2", "x^2 + 2x + 1"), (r"1 - \cos^2 x", r"\sin^2 x"), ("2^{n+1} - 2", "2(2^n - 1)")),
        (("x^2 + 1", "(x+1)^2"), ("2^{n+1} - 1", "2(2^n - 1)"), (r"\sin x^2", r"\sin^2 x")),
    ),
    Rule(
        "formulas in letters",
        "The letters of a formula come from the problem: another letter is another formula.",
        (("b + a", "a + b"), ("nm", "mn")),
        (("a + c", "a + b"), ("m^2", "n^2")),
    ),
    Rule(
        "formulas in letters",
        "Binomials, factorials, floors and sums are compared at integers.",
        (
            (r"\binom{n}{2}", r"\frac{n(n-1)}{2}"),
            (r"\lfloor n/2 \rfloor + \lceil n/2 \rceil", "n"),
            (r"\sum_{k=1}^{n} k", r"\frac{n(n+1)}{2}"),
        ),
        ((r"\binom{n}{2}", r"\frac{n(n+1)}{2}"), (r"\lfloor n/2 \rfloor", "n/2"), ("n!", "n^n")),
    ),
    Rule(
        "formulas in letters",
        "A step or a wave must be seen: floors, minima and sines are compared where they change.",
        ((r"\max(a, b)", r"\frac{a + b + |a - b|}{2}"), (r"\sin(100 \pi t)", r"\sin(50 \cdot 2\pi t)")),
        (
            (r"\sin(881 \pi t)", r"\sin(880 \pi t)"),
            (r"x + \lfloor \frac{1}{1 + 10^{30} x^2} \rfloor", "x"),
            (r"\min(n, 10^{12})", "n"),
            (r"\sin x + 10^{-45}", r"\sin x"),
        ),
    ),
    Rule(
        "formulas in letters",
        "A letter for integers lets parities count: powers of -1 and sines of multiples of π.",
        ((r"(-1)^{n+2}", "(-1)^n"), (r"\cos(n\pi)", "(-1)^n")),
        ((r"(-1)^{n+1}", "(-1)^n"), (r"\cos(x\pi)", "1")),
    ),
    Rule(
        "formulas in letters",
        "A root is never negative: √(x²) is |x|.",
        ((r"|x|", r"\sqrt{x^2}"), (r"\max(a, b)", r"\frac{a + b + |a - b|}{2}")),
        ((r"x", r"\sqrt{x^2}"), (r"\max(a, b)", "a")),
    ),
    Rule(
        "families with parameters",
        "A parameter may have any letter.",
        (
            (r"x = 2k + 1, k \in \mathbb{Z}", r"x = 2m + 1, m \in \mathbb{Z}"),
            (r"(t, 2t), t \in \mathbb{R}", r"(s, 2s), s \text{ real}"),
            ("(t, 2t) for real t", r"\{(s, 2s) : s \in \mathbb{R}\}"),
        ),
        (
            (r"(t, 2t), t \in \mathbb{R}", r"(2s, s), s \in \mathbb{R}"),
            (r"(t, t), t \in \mathbb{R}", r"(t, s), t, s \in \mathbb{R}"),
        ),
    ),
    Rule(
        "families with parameters",
        "The parameter must run over the same numbers; the usual kind of number may go without saying.",
        ((r"(t, 2t), t \in \mathbb{R}", "(t, 2t)"), (r"(t, 2t), t > 0", r"(t, 2t), t \in (0, \infty)")),
        (
            (r"(t, 2t), t > 0", r"(t, 2t), t \in \mathbb{R}"),
            (r"(t, 2t), t \ge 2", "(t, 2t)"),
            (r"(t, 2t), t \in \mathbb{Z}", r"(t, 2t), t \in \mathbb{R}"),
        ),
    ),
    Rule(
        "families with parameters",
        "Families of integers are the values they take.",
        (
            (r"\frac{\pi}{2} + k\pi, k \in \mathbb{Z}", r"\frac{(2k + 1)\pi}{2}, k \in \mathbb{Z}"),
            (r"x = 2k - 1, k \in \mathbb{Z}", r"x = 2k + 1, k \in \mathbb{Z}"),
        ),
        (
            (r"2k\pi, k \in \mathbb{Z}", r"k\pi, k \in \mathbb{Z}"),
            (r"x = 2k - 1, k \ge 1", r"x = 2k + 1, k \ge 1"),
        ),
    ),
    Rule(
        "families with parameters",
        "A family in a parameter may be a congruence, or words, on the other side.",
        (
            (r"n = 4k + 3, k \in \mathbb{Z}", r"n \equiv 3 \pmod 4"),
            (r"n = 6k, k \ge 1", "all positive multiples of 6"),
        ),
        (
            (r"n = 4k + 1, k \in \mathbb{Z}", r"n \equiv 3 \pmod 4"),
            (r"n = 6k, k \ge 0", "all positive multiples of 6"),
        ),
    ),
    Rule(
        "families with parameters",
        "Equations between the parameters are part of the answer.",
        ((r"(a, b, c) \text{ with } a + b = c", r"(a, b, c) \text{ where } c = a + b"),),
        (
            (r"(a, b, c) \text{ with } a + b = c", r"(a, b, c) \text{ where } a + c = b"),
            ("(a, b, c)", r"(a, b, c) \text{ with } a + b = c"),
        ),
    ),
)
