"""Rules of numbers."""

from __future__ import annotations

from lm_eval_ext.grading.rules.rule import Rule

RULES = (
    Rule(
        "numbers",
        "Fractions, decimals that end, powers of ten and numbers up to twenty in words are exact.",
        (("2/4", "0.50"), (r"3 \times 10^8", "300,000,000"), ("seven", "7")),
        (("0.33", "1/3"), ("0.9999999999", "1"), ("seven hundred", "7")),
    ),
    Rule(
        "numbers",
        "A decimal with a repeating part is the fraction it stands for.",
        (("0.1(6)", "1/6"), (r"0.\overline{3}", "1/3"), (r"$0.333\ldots$", "1/3")),
        (("0.16", "1/6"), ("0.333", "1/3"), (r"0.\overline{3}", "0.3")),
    ),
    Rule(
        "numbers",
        "Commas and thin spaces between groups of three digits are no part of a number.",
        (("1,234,567", "1234567"), (r"12\,500", "12500"), ("12{,}500", "12500")),
        (("1,23", "123"), ("(1,234)", "1234"), ("1.234", "1234")),
    ),
    Rule(
        "numbers",
        "A percentage is a hundredth, or the bare number where the other side has no sign.",
        (("25%", "1/4"), (r"25\%", "25"), ("25 percent", "0.25")),
        (("25%", "2.5"), ("25%", "75%"), ("0.25%", "25%")),
    ),
    Rule(
        "numbers",
        "An angle is in degrees or in radians, or a bare number of degrees.",
        (("60°", r"\frac{\pi}{3}"), (r"60^\circ", "60"), ("60 degrees", "60°")),
        (("60°", "60%"), ("60°", r"\frac{\pi}{6}"), ("60", r"\frac{\pi}{3}")),
    ),
    Rule(
        "numbers",
        "One side may leave the unit out; two units must be the same.",
        (("5 cm", "5"), ("12", "12 km"), (r"5\text{ cm}", "5 cm"), (r"\$5", "5 dollars")),
        (("5 cm", "5 km"), ("3 hours", "3 minutes")),
    ),
    Rule(
        "numbers",
        "A unit may be one letter in text, have a power or a quotient, or be a currency before its number.",
        ((r"5\text{ m}^2", "5"), (r"9.8\ \mathrm{m}/\mathrm{s}^2", r"9.8\text{ m/s}^2"), ("€1000", "1000")),
        (("5m", "5"), (r"5\text{ m}^2", r"5\text{ m}^3"), (r"5\text{ m/s}", r"5\text{ m}"), ("€5", r"\$5")),
    ),
    Rule(
        "numbers",
        "A part of a thousand is the number it stands for.",
        (("42‰", "0.042"), ("42‰", "4.2%")),
        (("42‰", "42"), ("42‰", "42%")),
    ),
    Rule(
        "numbers",
        "An exact value counts beside what it is near; what is only near is no value.",
        ((r"\frac{\sqrt{3}}{3} \approx 0.577", r"\frac{1}{\sqrt{3}}"),),
        (
            (r"\frac{\sqrt{3}}{3} \approx 0.877", r"\frac{1}{\sqrt{3}}"),
            (r"\approx 5", "5"),
            (r"\approx 1 \pm 1", "1"),
        ),
    ),
    Rule(
        "numbers",
        "One side may leave out what is counted; two things counted must be the same.",
        (("12 ways", "12"), ("10", "10 edges")),
        (("10 edges", "10 vertices"), ("3 million", "3"), ("2 dozen", "2")),
    ),
    Rule(
        "numbers",
        "The base of digits may be left out; two bases must be the same.",
        (("1011_{2}", "1011"), ("77_8", "77_{8}")),
        (("1011_2", "1011_3"), ("1011_2", "13")),
    ),
    Rule(
        "numbers",
        "A whole number before a proper fraction is a mixed number, not a product.",
        (("2 1/2", "5/2"), (r"2\frac{1}{2}", "2.5"), (r"-1\frac{1}{4}", "-1.25")),
        ((r"2\frac{1}{2}", "1"), (r"2\frac12", "21/2")),
    ),
    Rule(
        "numbers",
        "Roots and powers are exact; an odd root of a negative number is real.",
        ((r"2\sqrt{2}", r"\sqrt{8}"), ("8^{2/3}", "4"), (r"\sqrt[3]{-8}", "-2")),
        ((r"2.828", r"2\sqrt{2}"), (r"\sqrt{2} + \sqrt{3}", r"\sqrt{5}")),
    ),
    Rule(
        "numbers",
        "Irrational numbers are equal if 40 digits agree.",
        ((r"\sqrt{5 + 2\sqrt{6}}", r"\sqrt{2} + \sqrt{3}"), (r"\cos 36^\circ", r"\frac{1 + \sqrt{5}}{4}")),
        ((r"\frac{355}{113}", r"\pi"), (r"e^{\pi\sqrt{163}}", "640320^3 + 744")),
    ),
    Rule(
        "numbers",
        "Logarithms are natural unless a base is given; lg has base ten.",
        ((r"\log_2 8", "3"), (r"\lg 1000", "3"), (r"\ln 8", r"3\ln 2")),
        ((r"\log_8 2", "3"), (r"\ln 9", r"3\ln 2")),
    ),
    Rule(
        "numbers",
        "Factorials, binomials and divisors are evaluated.",
        (("5!", "120"), (r"\binom{10}{3}", "120"), ("C(10, 3)", "120"), (r"\gcd(12, 18)", "6")),
        (("5!", "5"), (r"\binom{10}{4}", "120"), ("6!!", "720")),
    ),
    Rule(
        "numbers",
        "Complex numbers are equal if both parts are.",
        ((r"\frac{1+i}{1-i}", "i"), ("(1+i)^2", "2i")),
        (("-i", "i"), ("1 - i", "1 + i")),
    ),
    Rule(
        "numbers",
        "A ratio is a quotient; one of three numbers or more is any multiple of it.",
        (("6:8", "3:4"), ("3:4", "3/4"), ("4:5:6", "8:10:12")),
        (("4:3", "3:4"), ("4:6:5", "4:5:6")),
    ),
    Rule(
        "numbers",
        "Numbers too large to be built are compared by their remainders modulo large primes.",
        (("9^{9^9}", r"3^{2 \cdot 9^9}"), (r"2^{10^9} + 2^{10^9}", "2^{10^9 + 1}")),
        (("9^{9^9} + 1", "9^{9^9}"), ("2^{10^9}", "2^{10^9 + 1}")),
    ),
    Rule(
        "numbers",
        "A line over letters or digits is the number they write.",
        ((r"\overline{ab}", "10a + b"), (r"\overline{1a}", "10 + a")),
        ((r"\overline{ab}", "ab"), (r"\overline{ab}", r"\overline{ba}")),
    ),
    Rule(
        "numbers",
        "A value in several forms counts if all of them are equal.",
        ((r"\frac{6}{4} = 1.5", "3/2"), (r"S = 2 + 3 = 5", "5")),
        (("S = 2 + 3 = 6", "5"), ("S = 2 + 3 = 6", "6")),
    ),
)
