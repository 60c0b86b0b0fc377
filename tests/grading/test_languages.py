import pytest

from lm_eval_ext.grading import Grader, GraderConfig, Item, grade_one
from lm_eval_ext.grading.extraction import extract
from lm_eval_ext.grading.languages import detect, in_english, translate
from tests.conftest import cases

pytestmark = pytest.mark.unit
CASES = cases("languages")


def test_answers_in_twelve_languages():
    with Grader() as grader:
        verdicts = grader.grade([Item(c["response"], c["gold"]) for c in CASES])
    accepted = [case for case, verdict in zip(CASES, verdicts, strict=True) if verdict.correct]
    assert len({case["language"] for case in accepted}) == 12
    assert [case for case in accepted if not case["correct"]] == []
    assert len(accepted) >= 0.95 * sum(case["correct"] for case in CASES)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["response"][-40:])
def test_the_language_is_recognized(case):
    assert detect(case["response"]) == case["language"]


@pytest.mark.parametrize(
    "text",
    [
        "Final answer: No, $x = 1$ or $y = 2$.",
        "(x, y) = (1, 2), z = 3",
        r"So \nu = 3 and \le holds. The answer is 5.",
        "A non-zero integer",
        "No",
        "",
    ],
)
def test_english_and_formulas_are_in_no_other_language(text):
    assert detect(text) is None


def test_the_answer_is_in_the_words_of_the_response():
    assert extract("Respuesta: todos los $n$ impares.") == "todos los $n$ impares"
    assert extract("答案：是，可以做到。") == "是，可以做到"
    verdict = grade_one("Por lo tanto, la suma es 12.500.", "12500")
    assert (verdict.correct, verdict.answer, verdict.extraction) == (True, "12.500", "conclusion")


def test_a_place_in_the_translation_leads_to_its_source():
    source = "Ответ: нет, $n$ нечётно."
    english = translate(source, "ru")
    assert english.text == "Answer: no, $n$ odd."
    assert english.original("no, $n$ odd", 0, len(english.text)) == "нет, $n$ нечётно"
    assert english.place(0) == 0
    assert english.place(len(english.text), is_end=True) == len(source)


@pytest.mark.parametrize(
    ("text", "language", "english"),
    [
        ("3,75", "es", "3.75"),
        ("3{,}75", "fr", "3.75"),
        ("1.234.567,5", "de", "1234567.5"),
        ("3.142", "it", "3142"),
        ("0.125", "it", "0.125"),
        ("(3,75)", "es", "(3,75)"),
        ("1,2,3", "pt", "1,2,3"),
        ("3,75", "zh", "3,75"),
        ("x = 1, y = 2", "es", "x = 1, y = 2"),
        ("$x$ y $y$", "es", "$x$ and $y$"),
        (r"n\text{ es par}", "es", r"n\text{ is even}"),
        ("No solution", "es", "No solution"),
    ],
)
def test_in_english(text, language, english):
    assert in_english(text, language) == english


def test_the_numbers_of_a_gold_in_no_language_of_its_own_stay_english():
    assert in_english("1,234", "es", own=False) == "1,234"
    assert in_english("12.500", "es", own=False) == "12.500"
    assert in_english("3,75", "es", own=False) == "3.75"


LIMITED = [
    ("Respuesta: sí, siempre que n sea par", "Yes"),
    ("Antwort: Ja, falls n gerade ist", "Yes"),
    ("Ответ: нет, кроме n=3", "No"),
    ("答案：不一定", "Yes"),
    ("Ответ: не 5", "5"),
    ("Réponse : environ 5", "5"),
    ("Risposta: almeno 5", "5"),
    ("Resposta: 5 mil", "5"),
    ("答え：5万", "5"),
    ("Réponse : 5 euros", "5 dollars"),
    ("Răspuns: $n$ nu este par", "n is even"),
    ("Cevap: $n$ çift değildir", "n is even"),
]


def test_negations_limits_and_multiples_are_not_lost():
    with Grader(GraderConfig(workers=1)) as grader:
        verdicts = grader.grade([Item(response, gold) for response, gold in LIMITED])
    assert [v for v in verdicts if v.correct] == []
