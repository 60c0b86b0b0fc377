"""The English that answers are written in: what each word means here. Data, no code.

A word that is in none of these tables makes its clause unreadable; so a word is listed as `NOISE` only if
leaving it out cannot change what an answer says ("the", "solutions"), never a negation or a bound.
"""

from __future__ import annotations

FUNCTIONS = frozenset(
    "sin cos tan cot sec csc arcsin arccos arctan sinh cosh tanh coth sech csch erf erfc log ln lg exp sqrt "
    "cbrt floor ceil abs min max gcd lcm frac binom sum prod overline sgn".split()
)
FUNCTION_ALIASES = {
    "ceiling": "ceil", "asin": "arcsin", "acos": "arccos", "atan": "arctan", "tg": "tan", "ctg": "cot",
    "cotg": "cot", "hcf": "gcd", "binomial": "binom", "arctg": "arctan", "sign": "sgn", "mcd": "gcd",
}  # fmt: skip

PROPERTIES = {
    "positive": "positive", "negative": "negative", "nonnegative": "nonnegative", "nonzero": "nonzero",
    "nonneg": "nonnegative", "non-negative": "nonnegative", "non-zero": "nonzero",
    "nonpositive": "nonpositive", "even": "even", "evens": "even", "odd": "odd", "odds": "odd",
    "prime": "prime", "primes": "prime", "composite": "composite", "composites": "composite",
    "natural": "natural", "naturals": "natural", "integer": "integer", "integers": "integer",
    "integral": "integer", "whole": "integer", "real": "real", "reals": "real", "rational": "rational",
    "rationals": "rational", "complex": "complex", "irrational": "irrational", "squarefree": "squarefree",
    "square-free": "squarefree",
}  # fmt: skip
"""Adjectives and nouns that say what kind of number it is."""

RELATIVE = {
    ("multiple", "of"): "multiple", ("multiples", "of"): "multiple", ("divisible", "by"): "multiple",
    ("divisor", "of"): "divisor", ("divisors", "of"): "divisor", ("power", "of"): "power",
    ("powers", "of"): "power", ("greater", "than"): ">", ("larger", "than"): ">", ("more", "than"): ">",
    ("bigger", "than"): ">", ("less", "than"): "<", ("smaller", "than"): "<", ("fewer", "than"): "<",
    ("at", "least"): ">=", ("at", "most"): "<=", ("congruent", "to"): "≡", ("equal", "to"): "=",
    ("different", "from"): "!=", ("distinct", "from"): "!=", ("not", "exceeding"): "<=",
    ("no", "more", "than"): "<=", ("no", "less", "than"): ">=", ("not", "less", "than"): ">=",
    ("greater", "than", "or", "equal", "to"): ">=", ("less", "than", "or", "equal", "to"): "<=",
    ("a", "multiple", "of"): "multiple", ("coprime", "to"): "coprime", ("coprime", "with"): "coprime",
    ("exceeding",): ">", ("divides",): "divides", ("above",): ">", ("below",): "<",
}  # fmt: skip
"""Words that take a number after them."""

NOUNS = {
    ("perfect", "square"): "square", ("perfect", "squares"): "square", ("square", "numbers"): "square",
    ("square", "free"): "squarefree", ("prime", "power"): "primepower", ("prime", "powers"): "primepower",
    ("powers", "of", "primes"): "primepower", ("power", "of", "a", "prime"): "primepower",
    ("perfect", "cube"): "cube", ("perfect", "cubes"): "cube", ("perfect", "power"): "perfectpower",
    ("squares",): "square", ("cubes",): "cube", ("non", "negative"): "nonnegative",
    ("non", "zero"): "nonzero", ("non", "-", "negative"): "nonnegative", ("non", "-", "zero"): "nonzero",
    ("square", "-", "free"): "squarefree", ("power", "of", "prime"): "primepower",
    ("powers", "of", "prime"): "primepower", ("powers", "of", "prime", "numbers"): "primepower",
}  # fmt: skip

_COUNT = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen twenty"
)
NUMERALS = {word: number for number, word in enumerate(_COUNT.split())}

NOISE = frozenset(
    "the all any every each some only exactly just both such that is are be was were will can may "
    "must has have having there given by of as form value values solution solutions answer answers "
    "number numbers set pair pairs triple triples quadruple quadruples tuple tuples ordered function "
    "functions polynomial polynomials equation its therefore hence so thus precisely required desired "
    "unique following namely consists attained equal equals we get obtain holds equality occurs this "
    "these those which a an it our final constant constants arbitrary fixed list complete in to on "
    "works work satisfying satisfy satisfies sequence sequences expression total sum result always "
    "still yields give gives when-all taken over parameter parameters called here write let obtained "
    "found determined exist exists does do expressed triangle sides angles angle lengths length side "
    "points smallest-interval interval range ranges area volume probability ratio count ways "
    "identically pairwise coefficient coefficients root roots variable integer-solutions families "
    "family type types choice option correct measure measures point solution-set being belongs varies "
    "runs itself they then them continuous distinct different differentiable strictly indeed general "
    "identity either".split()
)
"""Words that can be left out of a clause."""

LABELS = {
    "min": "minimum", "minimum": "minimum", "minimal": "minimum", "smallest": "minimum", "least": "minimum",
    "max": "maximum", "maximum": "maximum", "maximal": "maximum", "largest": "maximum", "greatest": "maximum",
    "biggest": "maximum", "lowest": "minimum", "highest": "maximum",
}  # fmt: skip
"""A value announced as an extreme one."""

CASE = frozenset(["if", "when", "whenever", "for"])
GIVEN = frozenset("where with given for over provided as".split())
EXCEPT = (("except", "for"), ("except",), ("other", "than"), ("excluding",), ("but", "not"), ("besides",))
OTHERWISE = (("otherwise",), ("else",), ("in", "all", "other", "cases"), ("for", "all", "other"))
RESTATEMENT = (
    ("ie",), ("that", "is"), ("equivalently",), ("in", "other", "words"), ("namely",), ("or", "equivalently"),
    ("this", "means"),
)  # fmt: skip
"""What follows says the same again."""
ASIDE = (
    ("for", "example"), ("for", "instance"), ("eg",), ("because",), ("since",), ("including",),
    ("in", "particular"), ("as", "required"), ("as", "desired"), ("as", "claimed"), ("see",), ("using",),
    ("note",), ("with", "the", "convention"),
)  # fmt: skip
"""What follows is no part of the answer: an example, a reason, a remark."""
CONNECTIVES: dict[tuple[str, ...], str] = {
    **dict.fromkeys([(word,) for word in CASE | GIVEN], "if"),
    ("such", "that"): "if", ("iff",): "if", ("if", "and", "only", "if"): "if", ("exactly", "when"): "if",
    ("precisely", "when"): "if", ("exactly", "if"): "if", ("then",): "then", ("and",): "and", ("or",): "or",
    ("or", "equal", "to"): "", ("together", "with"): ",", ("as", "well", "as"): "and", ("also",): "and",
    **dict.fromkeys(OTHERWISE, "else"), **dict.fromkeys(RESTATEMENT, "again"),
    **dict.fromkeys(EXCEPT, "except"), **dict.fromkeys(ASIDE, "aside"),
}  # fmt: skip
"""Phrases between clauses, and how they join the next one; "" is no joint. The longest phrase counts."""

YES = (("yes",), ("true",), ("possible",), ("it", "is", "possible"), ("always",))
NO = (("no",), ("false",), ("impossible",), ("not", "possible"), ("never",), ("it", "is", "impossible"))
NONE = (
    ("none",), ("nothing",), ("no", "solution"), ("no", "solutions"), ("empty", "set"), ("no", "such"),
    ("does", "not", "exist"), ("do", "not", "exist"), ("cannot", "exist"), ("not", "exist"),
    ("doesn't", "exist"),
)  # fmt: skip
"""There is no solution."""

HEDGES = frozenset(
    "sometimes mostly partially partly half maybe perhaps possibly probably probability likely almost nearly "
    "exceptions exception depends depending might assuming usually often rarely typically otherwise others "
    "while whereas unless except if iff when whenever provided least most neither unknown excluding apart "
    "aside long eventually think guess believe unsure presumably apparently conjecturally hopefully".split()
)
"""Words that take something back from a decision."""

LIMITS = frozenset(
    "if when only except unless but iff provided or other greater less more fewer besides larger "
    "smaller and".split()
)
"""Words after a decision or choice that limit it."""
UNIVERSAL = frozenset("all any every each which example instance".split())
PARTIAL = frozenset(
    "case some most many certain half few several general infinitely finitely large small".split()
)
"""After "for" or "in", words for all cases, and for some of them."""
QUALIFIABLE = frozenset("for if when in necessarily always every all sure proven certain known clear".split())
"""After "not" and "only", what limits a decision."""
DENYING = frozenset("not fails fail false counterexample cannot wrong never".split())
"""Words that begin the reason of a "no"."""
LINKS = frozenset(
    "for to in at on with it this that they he she we newline gap is if when only except unless "
    "but iff provided or and".split()
)
"""Words after a "no" that is a decision."""
NUMBER_DOMAINS = frozenset("positive real integer integers natural reals naturals numbers number".split())
DOMAINS = frozenset("positive nonnegative natural integer real rational complex nonzero negative".split())
"""Properties that say over which numbers a letter runs."""
ADJECTIVES = frozenset(
    "positive negative nonnegative nonzero nonpositive even odd real rational irrational not prime "
    "composite".split()
)

ORDINALS = {"first": "1", "second": "2", "third": "3", "1st": "1", "2nd": "2"}
UNITS = {
    "centimeter": "cm", "meter": "m", "inch": "in", "foot": "ft", "mile": "mi", "cm": "cm", "mm": "mm",
    "km": "km", "kg": "kg", "centimeters": "cm", "centimetres": "cm", "meters": "m", "metres": "m",
    "kilometers": "km", "degrees": "°", "degree": "°", "percent": "%", "dollars": "$", "dollar": "$",
    "cents": "cents", "hours": "h", "hour": "h", "minutes": "min", "minute": "min", "min": "min",
    "seconds": "s", "days": "days", "units": "", "unit": "", "inches": "in", "feet": "ft", "miles": "mi",
    "square": "", "cubic": "", "euros": "€", "pounds": "lb", "pound": "lb", "rubles": "rub", "euro": "€",
    "mph": "mph",
    "years": "years", "radians": "", "gram": "g", "grams": "g", "mg": "mg", "liter": "L", "liters": "L",
    "litre": "L", "litres": "L", "newtons": "N", "joules": "J", "watts": "W", "volts": "V", "amperes": "A",
    "kelvins": "K", "hertz": "Hz", "pascals": "Pa", "milliliters": "mL", "ounces": "oz", "yards": "yd",
    "kilowatts": "kW", "second": "s", "kilograms": "kg", "kilogram": "kg", "kilometer": "km", "yard": "yd",
}  # fmt: skip
UNIT_SIGNS = {
    "m": "meters", "g": "grams", "s": "seconds", "h": "hours", "L": "liters", "l": "liters", "N": "newtons",
    "J": "joules", "W": "watts", "V": "volts", "A": "amperes", "K": "kelvins", "Hz": "hertz", "Pa": "pascals",
    "mL": "milliliters", "ml": "milliliters", "in": "inches", "ft": "feet", "mi": "miles", "lb": "pounds",
    "lbs": "pounds", "oz": "ounces", "yd": "yards", "cm": "cm", "mm": "mm", "km": "km", "kg": "kg",
    "mg": "mg", "min": "minutes", "sec": "seconds", "hr": "hours", "mph": "mph", "kW": "kilowatts",
}  # fmt: skip
"""Signs of units, which are such only in text behind a number: 5\\text{ m}; and the unit each one is."""
NEGATIONS = frozenset(
    "not no never none neither nor cannot can't isn't doesn't don't without unless fails fail "
    "approximately about less more than least most almost nearly false impossible except wrong "
    "incorrect mistaken loses lose lost losing invalid extraneous rejected million thousand hundred "
    "billion dozen trillion squared cubed times plus minus".split()
)
"""Words that no clause may lose."""
SOLUTIONS = frozenset(
    "solution solutions pair pairs triple triples quadruple quadruples tuple tuples function "
    "functions polynomial polynomials sequence sequences value values root roots points".split()
)
"""What the answer consists of: "integer" in "integer solutions" repeats what the problem asked for."""
SOUGHT = SOLUTIONS | frozenset(
    "such integer integers real positive natural number numbers other prime primes rational triangle "
    "arrangement set sets way ways".split()
)
"""What a problem asks for, so that "no integers" means that there is no solution."""
TWO_LETTERS = frozenset(
    "is are of or in if no to by at as we it be on so up do an us my he cm mm km kg pi ie lg ln tg".split()
)
"""Runs of two letters that are words, not products."""
PREDICATES = frozenset(
    "has have a an the winning strategy win wins will can always is larger bigger greater certainly "
    "with certainty who player which goes moves starts plays playing moving".split()
)
"""What is said of the one who wins."""
SHORT_WORDS = frozenset("who how why his her him she but yet out off own now old new via per etc let".split())


def _vocabulary() -> frozenset[str]:
    single = {
        *PROPERTIES,
        *NUMERALS,
        *NOISE,
        *LABELS,
        *CASE,
        *GIVEN,
        *ORDINALS,
        *UNITS,
        *FUNCTION_ALIASES,
        *PREDICATES,
        *SHORT_WORDS,
    }
    phrases = [*RELATIVE, *NOUNS, *EXCEPT, *OTHERWISE, *RESTATEMENT, *ASIDE, *YES, *NO, *NONE]
    grammar = (
        "and or not if iff then else part permutation permutations cyclic except no modulo mod union player"
    )
    return frozenset(
        single | TWO_LETTERS | {w for phrase in phrases for w in phrase} | set(grammar.split())
    ) - {"a", "-"}


KNOWN = _vocabulary()
