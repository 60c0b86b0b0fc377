"""The English that answers are written in: what each word means here. Data, no code.

A word that is in none of these tables makes its clause unreadable; so a word is listed as `NOISE` only if
leaving it out cannot change what an answer says ("the", "solutions"), never a negation or a bound.
"""

from __future__ import annotations

from lm_eval_ext.grading.answers.lexicon.features import FEATURES
from lm_eval_ext.grading.answers.lexicon.units import UNITS


def _by_word(meanings: dict[str, str]) -> dict[str, str]:
    return {word: meaning for meaning, words in meanings.items() for word in words.split()}


def _phrases(text: str) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(phrase.split()) for phrase in text.split(";"))


def _by_phrase(meanings: dict[str, str]) -> dict[tuple[str, ...], str]:
    return {phrase: meaning for meaning, text in meanings.items() for phrase in _phrases(text)}


FUNCTIONS = frozenset(
    "sin cos tan cot sec csc arcsin arccos arctan sinh cosh tanh coth sech csch erf erfc log ln lg exp sqrt "
    "cbrt floor ceil abs min max gcd lcm frac binom sum prod overline sgn erfi cis arccot arcsec arccsc "
    "arcsinh arccosh arctanh arccoth arcsech arccsch int det tr".split()
)
FUNCTION_ALIASES = _by_word(
    {
        "ceil": "ceiling", "arcsin": "asin", "arccos": "acos", "arctan": "atan arctg", "tan": "tg",
        "cot": "ctg cotg", "gcd": "hcf mcd", "binom": "binomial", "sgn": "sign", "arccot": "acot arcctg",
        "arcsec": "asec", "arccsc": "acsc", "arcsinh": "asinh arsinh", "arccosh": "acosh arcosh",
        "arctanh": "atanh artanh", "arccoth": "acoth arcoth", "arcsech": "asech arsech",
        "arccsch": "acsch arcsch", "csc": "cosec",
    }
)  # fmt: skip

PROPERTIES = _by_word(
    {
        "positive": "positive", "negative": "negative", "nonnegative": "nonnegative nonneg non-negative",
        "nonzero": "nonzero non-zero", "nonpositive": "nonpositive", "even": "even evens", "odd": "odd odds",
        "prime": "prime primes", "composite": "composite composites", "natural": "natural naturals",
        "integer": "integer integers integral whole", "real": "real reals", "rational": "rational rationals",
        "complex": "complex", "irrational": "irrational", "squarefree": "squarefree square-free",
    }
)  # fmt: skip
"""Adjectives and nouns that say what kind of number it is."""

RELATIVE = _by_phrase(
    {
        "multiple": "multiple of; multiples of; a multiple of; divisible by",
        "divisor": "divisor of; divisors of", "divides": "divides; dividing", "power": "power of; powers of",
        "coprime": "coprime to; coprime with",
        ">": "greater than; larger than; more than; bigger than; exceeding; above",
        "<": "less than; smaller than; fewer than; below",
        ">=": "at least; no less than; not less than; greater than or equal to",
        "<=": "at most; not exceeding; no more than; less than or equal to",
        "≡": "congruent to", "=": "equal to", "!=": "different from; distinct from",
    }
)  # fmt: skip
"""Words that take a number after them."""

NOUNS = _by_phrase(
    {
        "square": "a square; perfect square; perfect squares; square numbers; squares",
        "cube": "perfect cube; perfect cubes; cubes", "perfectpower": "perfect power",
        "primepower": "prime power; prime powers; powers of primes; powers of prime; "
        "powers of prime numbers; power of a prime; power of prime",
        "squarefree": "square free; square - free", "nonnegative": "non negative; non - negative",
        "nonzero": "non zero; non - zero",
    }
)  # fmt: skip

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
    "identity either series converges convergent converge distribution random normal normally "
    "achieved reached respectively remainder valid limit order linear arithmetic progression progressions "
    "inclusive inclusively".split()
)
"""Words that can be left out of a clause."""

LABELS = _by_word(
    {
        "minimum": "min minimum minimal smallest least lowest",
        "maximum": "max maximum maximal largest greatest biggest highest",
    }
)
"""A value announced as an extreme one."""

CASE = frozenset(["if", "when", "whenever", "for"])
GIVEN = frozenset("where with given for over provided as".split())
EXACTLY = frozenset(
    ["iff", "if and only if", "only if"]
    + [f"{how} {when}" for how in ("exactly", "precisely", "only") for when in ("when", "if", "for", "where")]
)
"""How a condition is joined outside which nothing else happens."""
EXCEPT = _phrases("except for; except; other than; excluding; but not; besides")
OTHERWISE = _phrases("otherwise; else; elsewhere; in all other cases; for all other")
RESTATEMENT = _phrases("ie; that is; equivalently; in other words; namely; or equivalently; this means")
"""What follows says the same again."""
ASIDE = _phrases(
    "for example; for instance; eg; because; since; including; in particular; as required; as desired; "
    "as claimed; see; using; note; with the convention"
)
"""What follows is no part of the answer: an example, a reason, a remark."""
CONNECTIVES: dict[tuple[str, ...], str] = {
    **dict.fromkeys([(word,) for word in CASE | GIVEN], "if"),
    **_by_phrase(
        {
            "if": "such that; iff; if and only if; exactly when; precisely when; exactly if; exactly for; "
            "precisely for; only for; only when; only if; exactly where",
            "then": "then",
            "and": "and; as well as; also", "or": "or", "": "or equal to", ",": "together with",
        }
    ),
    **dict.fromkeys(OTHERWISE, "else"), **dict.fromkeys(RESTATEMENT, "again"),
    **dict.fromkeys(EXCEPT, "except"), **dict.fromkeys(ASIDE, "aside"),
}  # fmt: skip
"""Phrases between clauses, and how they join the next one; "" is no joint. The longest phrase counts."""

YES = _phrases("yes; true; possible; it is possible; possible to; always; affirmative; in the affirmative")
NO = _phrases(
    "no; false; impossible; not possible; never; it is impossible; impossible to; negative; in the negative; "
    "cannot happen; cannot be done; not true; not the case"
)
NONE = _phrases(
    "none; nothing; no solution; no solutions; empty set; no such; does not exist; do not exist; "
    "cannot exist; not exist; doesn't exist; dne; inconsistent; inconsistent system"
)
"""There is no solution."""
INFINITE = _phrases("infinitely many; infinite number of; infinity of")

CONVERGENCE = _by_word(
    {"converges": "converges converge convergent", "diverges": "diverges diverge divergent"}
)
CONVERGENCE_MANNER = _by_word(
    {"absolutely": "absolutely absolute", "conditionally": "conditionally conditional"}
)
"""How a series converges."""

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
NEGATIONS = frozenset(
    "not no never none neither nor cannot can't isn't doesn't don't without unless fails fail "
    "approximately about less more than least most almost nearly false impossible except wrong "
    "incorrect mistaken loses lose lost losing invalid extraneous rejected million thousand hundred "
    "billion dozen trillion squared cubed times plus minus suppose supposing assume assuming".split()
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

_SINGLE = (
    PROPERTIES, NUMERALS, NOISE, LABELS, CASE, GIVEN, ORDINALS, UNITS, FUNCTION_ALIASES, PREDICATES,
    SHORT_WORDS, TWO_LETTERS, CONVERGENCE, CONVERGENCE_MANNER,
)  # fmt: skip
_PHRASES = (FEATURES, RELATIVE, NOUNS, EXCEPT, OTHERWISE, RESTATEMENT, ASIDE, YES, NO, NONE, INFINITE)
_GRAMMAR = (
    "from sameparity parity coprime relatively mutually double triple multiplicity and or not if iff "
    "then else part permutation permutations cyclic except no modulo mod union player"
)
KNOWN = (
    frozenset(_GRAMMAR.split()).union(*_SINGLE, *(phrase for phrases in _PHRASES for phrase in phrases))
) - {"a", "-", "x", "y"}
"""All words with a meaning: what else has letters is a product of them, or unreadable."""
