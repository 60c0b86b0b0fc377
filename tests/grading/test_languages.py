import pytest

from lm_eval_ext.grading import Grader, GraderConfig, Item, grade_one
from lm_eval_ext.grading.extraction import extract
from lm_eval_ext.grading.languages import detect, in_english, states, translate
from tests.clock import cpu_s
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
        (r"n\text{ es par}", "es", "n is even"),
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


@pytest.mark.parametrize(
    ("words", "language", "number"),
    [
        ("mil doscientos treinta y cuatro", "es", "1234"),
        ("veintidós", "es", "22"),
        ("quatre-vingt-dix-neuf", "fr", "99"),
        ("zweihundertsechsundfünfzig", "de", "256"),
        ("cento e vinte", "pt", "120"),
        ("milleventiquattro", "it", "1024"),
        ("o sută douăzeci și opt", "ro", "128"),
        ("dwa tysiące pięćset", "pl", "2500"),
        ("три тысячи пятьсот шесть", "ru", "3506"),
        ("三千六百", "zh", "3600"),
        ("二百五十六", "ja", "256"),
        ("hai nghìn sáu trăm", "vi", "2600"),
        ("yüz yirmi beştir", "tr", "125 is"),
        ("dos y tres", "es", "two and three"),
        ("duecentottantotto", "it", "288"),
        ("一百零二", "zh", "102"),
        ("一百二", "zh", "一百二"),  # in speech 120
        ("五百十", "ja", "510"),
        ("hai nghìn không trăm hai mươi bốn", "vi", "2024"),
        ("mil y mil y mil", "es", "thousand and thousand and thousand"),
    ],
)
def test_numbers_in_words(words, language, number):
    assert translate(words, language).text.strip() == number


@pytest.mark.parametrize("text", ["hundert und ", "einseins", "trecento", "一", "1", r"\("])
def test_long_runs_take_no_time(text):
    languages = ("de", "it", "tr", "zh")
    for language in languages:
        translate("", language)  # reads its table
    assert cpu_s(lambda: [translate(text * 4_000, language) for language in languages]) < 1.5


def test_a_sentence_that_may_be_in_two_languages_is_doubted_in_either():
    assert states("Vale 5.", "es")
    assert not states("Casi vale 5.", "it")


def test_an_untranslated_word_is_no_english_one():
    assert not states("Dostajemy ten.", "pl")
