"""Rules of extraction and notation."""

from __future__ import annotations

from lm_eval_ext.grading.rules.rule import Rule

RULES = (
    Rule(
        "extraction",
        "The last statement of an answer wins.",
        (
            (r"\boxed{3}. Wait, I lost a sign: \boxed{-3}.", "-3"),
            ("Final answer: 4\n\nI erred.\n\nFinal answer: 5", "5"),
        ),
        ((r"\boxed{3}. Wait, I lost a sign: \boxed{-3}.", "3"), (r"\boxed{3}. No, the answer is 4.", "3")),
    ),
    Rule(
        "extraction",
        "A box, a tag, `Final answer:`, `The answer is`, `A:` or `####` states an answer; else a last "
        "sentence that concludes, or a response that is nothing but a value.",
        (
            (r"So $x = \boxed{8}$.", "8"),
            ("The answer is 3.5. This is all.", "3.5"),
            ("So the sum of both is 8.", "8"),
            ("8", "8"),
        ),
        (("After some work we get 8.", "8"),),
    ),
    Rule(
        "extraction",
        "What stands inside thinking is no answer.",
        ((r"<think>Is it \boxed{1}?</think>It is \boxed{2}.", "2"),),
        ((r"<think>Surely \boxed{2}.", "2"), (r"<think>\boxed{2}</think>It is \boxed{3}.", "2")),
    ),
    Rule(
        "extraction",
        'Boxes joined by nothing but commas, "and", "or" or a name are one answer.',
        (
            (r"$x = \boxed{2}$ and $x = \boxed{5}$", "2, 5"),
            (r"$x = \boxed{2}$, $y = \boxed{5}$", "x = 2, y = 5"),
        ),
        ((r"$x = \boxed{2}$ and $x = \boxed{5}$", "5"),),
    ),
    Rule(
        "extraction",
        "A response cut off inside its box has no answer; one cut off after it has.",
        ((r"Hence \boxed{12}, because the", "12"),),
        ((r"The result is \boxed{12", "12"),),
    ),
    Rule(
        "extraction",
        "A remark without mathematics takes no box back; another final answer does.",
        ((r"\boxed{3}. So the answer is correct.", "3"),),
        ((r"\boxed{3}. So the final answer is unknown.", "3"),),
    ),
    Rule(
        "extraction",
        "A header or bold text announces as plain text does; only the next paragraph is the answer.",
        (("**Final Answer:** $7$.", "7"), ("### Final Answer\n\n$x = 7$\n\nThis can be checked.", "7")),
        (("### Final Answer\n\n$x = 8$\n\nIt replaces 7.", "7"),),
    ),
    Rule(
        "extraction",
        '"x is the answer" states x; with a negation it does not.',
        (("Therefore, 6 is the answer.", "6"),),
        (("Therefore, 6 is not the answer.", "6"), ("I doubt that 6 is the answer.", "6")),
    ),
    Rule(
        "notation",
        "LaTeX, plain text and Unicode are the same mathematics.",
        ((r"$\dfrac12$", "1/2"), ("½", r"\frac{1}{2}"), ("x² + 1", "x^{2}+1")),
        (("x2", "x^2"), ("2½", "21/2")),
    ),
    Rule(
        "notation",
        "Math delimiters, emphasis and tags around an answer say nothing.",
        (("**7**", "7"), (r"\(7\)", "7"), ("<answer>7</answer>", "7")),
        (("|-7|", "-7"), ("7*7", "7")),
    ),
    Rule(
        "notation",
        "Capitals in words do not matter; capital letters are other letters.",
        (("YES", "Yes"), ("All Even Integers", "all even integers")),
        (("A + b", "a + b"), ("N", "n")),
    ),
    Rule(
        "notation",
        "A command without braces takes one sign: `\\sqrt2x` is `\\sqrt{2}x`, `\\frac12` is one half.",
        ((r"\sqrt2x", r"x\sqrt{2}"), (r"\frac1{2}", "1/2")),
        ((r"\sqrt2x", r"\sqrt{2x}"), (r"\frac{12}{3}", r"\frac{1}{23}")),
    ),
    Rule(
        "notation",
        "Powers bind before products, products before sums; a slash divides by the next factor alone.",
        (("1/2x", "x/2"), ("-2^2", "-4"), ("2^3^2", "512")),
        (("1/2x", "1/(2x)"), ("a+b/2", "(a+b)/2"), ("2^3^2", "64")),
    ),
    Rule(
        "notation",
        "A subscript belongs to its letter, however it is written.",
        (("a_1 + a_2", "a_{1} + a₂"), ("x_0", "x0")),
        (("a_1", "a_2"), ("a_{12}", "a_1 a_2")),
    ),
    Rule(
        "notation",
        "The sign ≡ without a modulus is an equality.",
        ((r"f(x) \equiv 0", "f(x) = 0"),),
        ((r"n \equiv 0 \pmod 3", "n = 0"),),
    ),
)
