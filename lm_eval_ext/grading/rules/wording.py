"""Rules of answers in words."""

from __future__ import annotations

from lm_eval_ext.grading.rules.rule import Rule

RULES = (
    Rule(
        "conditions in words",
        "Kinds of numbers in words are the numbers they mean.",
        (
            ("all positive multiples of 3", "All positive integers divisible by 3."),
            ("all even positive integers", r"n = 2k, k \ge 1"),
            ("odd numbers n greater than 1", r"n = 2k + 1, k \ge 1"),
        ),
        (
            ("all multiples of 4", "All positive integers divisible by 3."),
            ("all even integers", "all odd integers"),
            ("all primes", "all odd primes"),
        ),
    ),
    Rule(
        "conditions in words",
        "Congruences in words and in signs are the same.",
        (
            ("n is congruent to 1 modulo 4", r"n \equiv 1 \pmod 4"),
            ("n not divisible by 3", r"n \equiv 1, 2 \pmod 3"),
            ("n ≡ 1 (mod 4)", r"n \equiv 5 \pmod 4"),
        ),
        (
            ("n is congruent to 1 modulo 4", r"n \equiv 1 \pmod 8"),
            ("n divisible by 3", r"n \equiv 1, 2 \pmod 3"),
        ),
    ),
    Rule(
        "conditions in words",
        "Primes, squares, cubes and powers are known by name.",
        (
            ("all perfect squares", r"n = k^2, k \in \mathbb{Z}"),
            ("powers of 2", r"2^k, k \ge 0"),
            (r"primes p \equiv 1 \pmod 4", "prime numbers congruent to 1 modulo 4"),
        ),
        (("all perfect cubes", r"n = k^2, k \in \mathbb{Z}"), ("powers of 2", "multiples of 2")),
    ),
    Rule(
        "conditions in words",
        'Bounds in words count exactly: "at least" includes, "more than" does not.',
        (
            ("integers n at least 5", r"n \ge 5"),
            ("all integers greater than 4", r"\text{all integers } n \ge 5"),
        ),
        (("integers n greater than 5", r"n \ge 5"), ("integers n at most 5", r"n \ge 5")),
    ),
    Rule(
        "conditions in words",
        "Exceptions count, in words and in signs.",
        (
            ("all positive integers except 1 and 3", r"positive integers n with n \ne 1, 3"),
            ("all integers n >= 3 other than 5", r"n \ge 3, n \ne 5"),
        ),
        (
            ("all positive integers", "all positive integers except 2"),
            ("all positive integers except 1", "all positive integers except 1 and 3"),
        ),
    ),
    Rule(
        "conditions in words",
        "A negation or a limit before a value is never left out.",
        (("exactly 5", "5"), ("only 5", "5")),
        (("not 5", "5"), ("about 5", "5"), ("less than 5", "5")),
    ),
    Rule(
        "cases",
        "Cases are compared number by number, whatever their order; every case is needed.",
        (
            ("-x if x < 0; x if x >= 0", "|x|"),
            (
                "2 if n is even; 0 if n is odd",
                r"\begin{cases} 0 & n \text{ odd} \\ 2 & n \text{ even} \end{cases}",
            ),
        ),
        (
            ("-x if x > 0; x if x <= 0", "|x|"),
            ("2 if n is even", "2 if n is even; 0 if n is odd"),
            (
                "2 if n is odd; 0 if n is even",
                r"\begin{cases} 0 & n \text{ odd} \\ 2 & n \text{ even} \end{cases}",
            ),
        ),
    ),
    Rule(
        "cases",
        '"Otherwise" is every number that no case before it has.',
        (("1 if n is even, 0 otherwise", "1 if n is even, 0 if n is odd"),),
        (("0 if n is even, 1 otherwise", "1 if n is even, 0 if n is odd"),),
    ),
    Rule(
        "parts",
        "Parts are matched in their order, however they are labelled, and every part must be right.",
        (("a) 4; b) 7", "(a) 4 (b) 7"), ("(1) x = 2 (2) no", "(i) 2 (ii) No"), ("4, 7", "(a) 4 (b) 7")),
        (("a) 7; b) 4", "(a) 4 (b) 7"), ("a) 4", "(a) 4 (b) 7"), ("4", "(a) 4 (b) 7")),
    ),
    Rule(
        "decisions",
        "Yes and no may be followed by what explains them.",
        (("Yes, take n = 3", "Yes"), ("No, since 7 is odd", "No"), ("It is possible", "Yes")),
        (("No, since 7 is odd", "Yes"), ("Yes, take n = 3", "No")),
    ),
    Rule(
        "decisions",
        "A decision with a condition is no decision.",
        (("Yes, for all n", "Yes"),),
        (("Yes, if n is even", "Yes"), ("Yes, except for n = 2", "Yes"), ("Yes and no", "Yes")),
    ),
    Rule(
        "decisions",
        "A decision that is limited, doubted or taken back is none.",
        (("Yes, for all n", "Yes"), ("No; it fails for n = 3", "No")),
        (
            ("Yes for some, no for others", "Yes"),
            ("Yes, for infinitely many n", "Yes"),
            ("Sometimes yes", "Yes"),
            ("Yes? No.", "Yes"),
        ),
    ),
    Rule(
        "decisions",
        'That there is no solution may be said in many ways; a bare "no" is none of them.',
        (
            ("There are no solutions.", "none"),
            ("no such function exists", "No solution"),
            (r"\emptyset", "none"),
            ("No", "No such function exists"),
        ),
        (
            ("No", "None"),
            ("There are no solutions except 3", "none"),
            ("0", "none"),
            ("no more than 5 solutions", "none"),
        ),
    ),
    Rule(
        "choice and winners",
        'A letter of choice may have brackets, the word "option" or its value.',
        (("(C)", "C"), ("Option C", "(C)"), ("C) 1200", "C"), ("C", "(C) 1200")),
        (("(B)", "C"), ("A or C", "C"), ("1200", "C")),
    ),
    Rule(
        "choice and winners",
        "The value of a choice stands for its letter where the gold has both.",
        (("1200", "(C) 1200"), ("(C) 1200", "(C) 1,200")),
        (("1300", "(C) 1200"), ("(B) 1200", "(C) 1200"), ("(C) 1300", "(C) 1200")),
    ),
    Rule(
        "choice and winners",
        "Who wins is a name or a place in the order of play.",
        (
            ("The first player wins", "the first player has a winning strategy"),
            ("Alice wins", "Alice"),
            ("Player 1", "the first player"),
        ),
        (
            ("The second player wins", "the first player"),
            ("Alice loses", "Alice wins"),
            ("Alice does not win", "Alice wins"),
        ),
    ),
    Rule(
        "restatements and remarks",
        "An answer said again in other words must be the same answer.",
        ((r"x = \frac{3}{2}, i.e. 1.5", "3/2"), (r"n = 2k, that is, all even n", "all even integers n")),
        ((r"x = \frac{3}{2}, i.e. 2", "3/2"), ("3, that is, 4", "4")),
    ),
    Rule(
        "restatements and remarks",
        "A reason is no part of the answer; a remark that changes it is.",
        (("5, because 2 + 3 = 5", "5"), ("5, since 6 is too large", "5"), ("5 (the number of edges)", "5")),
        (("5 (or 6)", "5"), ("5 (not attained)", "5"), ("5 plus 1", "5")),
    ),
    Rule(
        "restatements and remarks",
        "A description before a colon gives way to the list behind it.",
        (("the pairs with one odd and one even number: (1, 2), (2, 1)", "(1, 2), (2, 1)"),),
        (("the pairs with one odd and one even number: (1, 2)", "(1, 2), (2, 1)"),),
    ),
)
