"""Rules of lists, of unknowns with names, and of sets of numbers."""

from __future__ import annotations

from lm_eval_ext.grading.rules.rule import Rule

RULES = (
    Rule(
        "lists, sets and tuples",
        "The order of solutions does not matter, and none may be missing or added.",
        (("3, 1, 2", "1, 2, 3"), (r"\{3, 1, 2\}", r"\{1, 2, 3\}"), ("(3,0), (1,2)", "(1,2), (3,0)")),
        (("1, 2", "1, 2, 3"), ("1, 2, 3, 4", "1, 2, 3"), ("(3,0)", "(1,2), (3,0)")),
    ),
    Rule(
        "lists, sets and tuples",
        'Commas, semicolons, "and", "or" and braces list the same solutions.',
        (("2 or 5", r"\{2, 5\}"), ("x = 2 and x = 5", "2, 5"), ("two solutions: 2 and 5", "2, 5")),
        (("2 or 5", "2"), ("x = 2", r"\{2, 5\}")),
    ),
    Rule(
        "lists, sets and tuples",
        "A solution said twice is one solution.",
        (("1, 1, 2", "1, 2"), (r"\{2, 4/2, 3\}", r"\{2, 3\}")),
        (("1, 1, 3", "1, 2"), ("1, 1", "1, 2")),
    ),
    Rule(
        "lists, sets and tuples",
        "A tuple has an order, and repetitions in it count.",
        (("(2/2, 2)", "(1, 2)"), ("(1, 1, 2)", "(1, 1, 2)")),
        (("(2, 1)", "(1, 2)"), ("(1, 2)", "(1, 1, 2)"), ("(2,1), (0,3)", "(1,2), (3,0)")),
    ),
    Rule(
        "lists, sets and tuples",
        "Three values or more in order stand for one tuple; two in brackets may be an interval.",
        (("1, 2, 3", "(1, 2, 3)"), ("(1, 2, 3)", "1, 2, 3")),
        (("2, 1, 3", "(1, 2, 3)"), ("1, 2", "(1, 2)"), ("1 or 2 or 3", "(1, 2, 3)")),
    ),
    Rule(
        "lists, sets and tuples",
        "± gives both values; several signs in one solution are read together, ∓ with the other sign.",
        (
            (r"\pm 2", "2, -2"),
            (r"(\pm 1, \mp 1)", "(1, -1), (-1, 1)"),
            (r"1 \pm \sqrt{2}", r"1 + \sqrt2, 1 - \sqrt2"),
        ),
        (("2", r"\pm 2"), (r"(\pm 1, \pm 1)", "(1, -1), (-1, 1)")),
    ),
    Rule(
        "lists, sets and tuples",
        "Permutations of a tuple are all of its reorderings, cyclic ones only the rotations.",
        (
            ("(1, 1, 2) and permutations", "(1, 1, 2), (1, 2, 1), (2, 1, 1)"),
            ("(1, 2, 3) and its cyclic permutations", "(1, 2, 3), (2, 3, 1), (3, 1, 2)"),
        ),
        (
            ("(1, 1, 2)", "(1, 1, 2) and permutations"),
            ("(1, 2, 3) and permutations", "(1, 2, 3) and cyclic permutations"),
        ),
    ),
    Rule(
        "lists, sets and tuples",
        "Square brackets around two numbers are an interval, around more of them a tuple or a matrix.",
        (
            ("[1, 2, 3]", "(1, 2, 3)"),
            (r"\langle 0, 0, 1 \rangle", "[0, 0, 1]"),
            ("[3, 1, 2]", r"\{1, 2, 3\}"),
            ("[[1, 2], [3, 4]]", r"\begin{pmatrix} 1 & 2 \\ 3 & 4 \end{pmatrix}"),
        ),
        (
            ("[1, 2]", "1, 2"),
            ("[2, 1, 3]", "[1, 2, 3]"),
            ("[0, 0, 1]", "[0, 1, 1]"),
            ("[[1, 2], [3, 4]]", "[[3, 4], [1, 2]]"),
        ),
    ),
    Rule(
        "lists, sets and tuples",
        "An ellipsis between integers stands for all integers between them.",
        ((r"1, 2, \ldots, 9", r"1 \le n \le 9"), ("1, 2, 3, ..., 9", "1, 2, 3, 4, 5, 6, 7, 8, 9")),
        ((r"1, 2, \ldots, 10", r"1 \le n \le 9"), (r"1, 3, \ldots, 9", "1, 2, 3, 4, 5, 6, 7, 8, 9")),
    ),
    Rule(
        "lists, sets and tuples",
        "A column of a matrix is a tuple; a matrix is compared entry by entry.",
        (
            (r"\begin{pmatrix} 1 \\ 2 \end{pmatrix}", "(1, 2)"),
            (
                r"\begin{bmatrix} 1 & 2/2 \\ 0 & 1 \end{bmatrix}",
                r"\begin{pmatrix} 1 & 1 \\ 0 & 1 \end{pmatrix}",
            ),
        ),
        (
            (
                r"\begin{pmatrix} 1 & 2 \\ 3 & 4 \end{pmatrix}",
                r"\begin{pmatrix} 1 & 3 \\ 2 & 4 \end{pmatrix}",
            ),
            (r"\begin{pmatrix} 2 \\ 1 \end{pmatrix}", "(1, 2)"),
        ),
    ),
    Rule(
        "unknowns by name",
        "The name of what was asked for is not part of the answer.",
        (("x = 5", "5"), ("n=3", "3"), ("The area is 12", "12")),
        (("x = 5", "6"), ("x + 1 = 5", "5"), ("x > 5", "5")),
    ),
    Rule(
        "unknowns by name",
        "Values are matched by the names of their unknowns where both sides have names.",
        (("y = 2, x = 1", "x = 1, y = 2"), ("(y, x) = (2, 1)", "(x, y) = (1, 2)")),
        (("x = 2, y = 1", "x = 1, y = 2"), ("(y, x) = (1, 2)", "(x, y) = (1, 2)")),
    ),
    Rule(
        "unknowns by name",
        "Where one side has no names the order counts.",
        (("(1, 2)", "x = 1, y = 2"), ("m = 1, n = 2", "(1, 2)"), ("1, 2", "(m, n) = (1, 2)")),
        (("(2, 1)", "x = 1, y = 2"), ("2, 1", "(m, n) = (1, 2)")),
    ),
    Rule(
        "unknowns by name",
        "Every unknown needs its value.",
        (("x = y = z = 1", "(1, 1, 1)"), ("a = b = 2", "a = 2, b = 2")),
        (("x = 1", "x = 1, y = 2"), ("x = y = 1", "(1, 1, 1)")),
    ),
    Rule(
        "unknowns by name",
        "A name that comes back begins the next solution.",
        (
            ("x = 1, y = 2 or x = 3, y = 0", "(x, y) = (1, 2), (3, 0)"),
            ("x = 1, y = 2; x = 3, y = 0", "(3, 0), (1, 2)"),
        ),
        (
            ("x = 1, y = 0 or x = 3, y = 2", "(x, y) = (1, 2), (3, 0)"),
            ("x = 1, 3 and y = 2, 0", "(1, 2), (3, 0), (1, 0)"),
        ),
    ),
    Rule(
        "unknowns by name",
        "A minimum is no maximum, and f(2) is not f(3).",
        (("The minimum value is 3", "3"), ("f(2) = 5", "5"), ("max = 9", "maximum: 9")),
        (("The maximum is 3", "The minimum is 3"), ("f(2) = 5", "f(3) = 5")),
    ),
    Rule(
        "unknowns by name",
        "A quantity made of points or of numbers may be repeated before its value.",
        (("AB : CD = 5/16", "5/16"), (r"\angle ABC = 30^\circ", "30°"), ("4 + 5 = 9", "9")),
        (("4 + 5 = 10", "10"), ("AB : CD = 5/16", "16/5")),
    ),
    Rule(
        "intervals and inequalities",
        "Intervals and inequalities are the numbers they contain; open and closed ends differ.",
        (("0 < x < 1", "(0, 1)"), (r"x \in [0, 1)", r"0 \le x < 1"), (r"x \ge 2", r"[2, \infty)")),
        (("[0, 1]", "[0, 1)"), (r"0 \le x < 1", "(0, 1)"), ("x > 2", r"[2, \infty)")),
    ),
    Rule(
        "intervals and inequalities",
        "An inequality may be turned round, with its sign.",
        (("5 > x", "x < 5"), (r"1 \ge x \ge 0", "[0, 1]")),
        (("5 < x", "x < 5"), (r"-x < 5", "x < 5")),
    ),
    Rule(
        "intervals and inequalities",
        "Sets side by side are several sets, compared one by one; nothing unites them but a sign or a word.",
        (
            (r"\{x \mid x > 3\}, \{x \mid x > 0\}", r"\{t : t > 3\}, \{t : t > 0\}"),
            ("x > 3, y > 0", "y > 0, x > 3"),
        ),
        (
            (r"\{x \mid x > 6\}, \{x \mid x > 0\}", r"\{x \mid x > 3\}, \{x \mid x > 0\}"),
            ("x > 3, y > 0", "x > 0, y > 3"),
        ),
    ),
    Rule(
        "intervals and inequalities",
        "A letter with an equation for it is no value: what solves it is not said.",
        (("x, where x = 2", "2"),),
        (("x with x^2 = 4", "2"), (r"\{n : n^2 = 4\}", r"\{2\}")),
    ),
    Rule(
        "intervals and inequalities",
        "Unions, intersections and differences are worked out, in any order.",
        (
            ("x > 1 or x < 0", r"(-\infty, 0) \cup (1, \infty)"),
            (r"(0, 2) \cup [2, 3)", "(0, 3)"),
            (r"[0, 3] \setminus \{1\}", r"[0, 1) \cup (1, 3]"),
        ),
        (("0 < x < 1", r"(-\infty, 0) \cup (1, \infty)"), (r"(0, 2) \cup (2, 3)", "(0, 3)")),
    ),
    Rule(
        "intervals and inequalities",
        "A number taken out is missing, in signs or in words.",
        (
            (r"\mathbb{R} \setminus \{1\}", r"x \ne 1"),
            ("all real numbers except 1", r"x \ne 1"),
        ),
        (("all real numbers", r"x \ne 1"), ("all real numbers except 1 and 2", r"x \ne 1")),
    ),
    Rule(
        "intervals and inequalities",
        "Letters that stand for integers run over integers.",
        (("n = 3, 4, 5", r"3 \le n \le 5"), (r"2 < n < 6", r"n \in \{3, 4, 5\}")),
        (("n = 3, 4", r"3 \le n \le 5"), ("x = 3, 4, 5", r"3 \le x \le 5")),
    ),
    Rule(
        "intervals and inequalities",
        "An equation is the same after multiplication by a number and with its sides swapped.",
        (("2x + 4y = 6", "x + 2y = 3"), ("x - y + 1 = 0", "2y - 2x - 2 = 0"), ("n = 2m", "m = n/2")),
        (("2x + 4y = 6", "x + 2y = 6"), ("n = 2m", "m = 2n")),
    ),
    Rule(
        "intervals and inequalities",
        "An inequality between formulas is the same after multiplication by a positive number.",
        (("2a + 2b < 2c + 2d", "a + b < c + d"), ("c + d > a + b", "a + b < c + d")),
        (("2a + 2b > 2c + 2d", "a + b < c + d"), (r"a + b \le c + d", "a + b < c + d")),
    ),
)
