import csv
import json

import pytest
from scipy import stats as scipy_stats
from statsmodels.stats.contingency_tables import mcnemar as their_mcnemar
from typer.testing import CliRunner

from lm_eval_ext.analysis import compare
from lm_eval_ext.cli import app
from tests.analysis.logged import write_run
from tests.analysis.mathnet_runs import recorded

pytestmark = pytest.mark.unit


def call(*arguments):
    done = CliRunner().invoke(app, ["compare", *map(str, arguments)], env={"COLUMNS": "80"})
    return done.exit_code, done.output, done


def two(folder, **settings):
    docs = [{"id": str(i), "problem": f"{i}?", "gold": "1", "level": i % 2} for i in range(40)]
    a = write_run(folder / "a", [True] * 30 + [False] * 10, docs=docs)
    b = write_run(folder / "b", [True] * 20 + [False] * 20, docs=docs, **settings)
    return f"base={a}", f"tuned={b}"


def test_it_prints_the_difference_the_test_and_what_flipped(tmp_path):
    code, text, _ = call(*two(tmp_path), "--by", "level", "--flips", "2", "--cluster", "level")
    assert code == 0
    for said in (
        "mathnet: accuracy (grade_math), 40 paired problems",
        "30 right, 75.0%",
        "A minus B",
        "+25.0 points",
        "exact McNemar, 10 only A, 0 only B",
        "0.0020",
        "by level",
        "8 more flipped",
        "clustered",
    ):
        assert said in text, said
    assert max(len(line) for line in text.splitlines() if not line.startswith("next: ")) <= 80


def test_json_and_files_say_the_same(tmp_path):
    code, text, _ = call(*two(tmp_path), "--json", "--by", "level")
    found = json.loads(text)["comparisons"][0]["units"][0]
    assert code == 0 and found["pairing"] == {"both": 20, "only_a": 10, "only_b": 0, "neither": 10}
    call(*two(tmp_path), "--out", tmp_path / "out", "--by", "level")
    assert json.loads((tmp_path / "out" / "comparison.json").read_text()) == json.loads(text)
    rows = list(csv.DictReader((tmp_path / "out" / "flips.csv").read_text().splitlines()))
    assert len(rows) == 10 and {row["right"] for row in rows} == {"A"} and rows[0]["id"] == "20"
    assert {row["doc_hash"] for row in rows} == {flip["doc_hash"] for flip in found["flips"]}
    markdown = (tmp_path / "out" / "comparison.md").read_text()
    assert "| A right | 20 | 10 |" in markdown and "| level | n | A | B |" in markdown


def test_unequal_protocols_end_in_one_line_that_names_them(tmp_path):
    places = two(tmp_path, model_args={"seed": 7})
    code, _, done = call(*places)
    assert code != 0 and "model argument seed: 42 and 7" in done.output
    code, text, _ = call(*places, "--force")
    assert code == 0 and "warning" in text and "seed: 42 and 7" in " ".join(text.split())


def across_template(folder, stops, **settings_of_chat):
    plain = write_run(folder / "plain", [True, False] * 10, protocol={"generation": {"until": ["\n\n"]}})
    given = {"protocol": {"generation": {"until": stops}}, **settings_of_chat}
    chat = write_run(folder / "chat", [True] * 20, chat=True, **given)
    return f"plain={plain}", f"chat={chat}", "--across", "chat_template"


def test_the_setting_that_is_compared_may_differ_with_what_follows_from_it(tmp_path):
    code, text, done = call(*across_template(tmp_path, []))
    assert code == 0, done.output
    said = " ".join(text.split())
    assert "experiment chat template: False and True; few-shot as turns: not set and True; " in said
    assert "generation until: ['\\n\\n'] and []" in said and "warning" not in said
    assert "20 paired problems" in said and "-50.0 points" in said


@pytest.mark.parametrize(
    "stops, chat, why",
    [
        (["Question:"], {}, r"generation until: ['\n\n'] and ['Question:']"),
        ([], {"model_args": {"seed": 7}}, "model argument seed: 42 and 7"),
        ([], {"model": "another"}, "model: 'some/model' and 'another'"),
    ],
    ids=["other stops", "seed", "model"],
)
def test_every_other_difference_is_refused(tmp_path, stops, chat, why):
    places = across_template(tmp_path, stops, **chat)
    code, _, done = call(*places)
    assert code == 1 and why in done.output and "mathnet: chat template" not in done.output
    code, text, _ = call(*places, "--force")
    assert code == 0 and "experiment chat template" in " ".join(text.split()) and "warning" in text
    other = why.partition(":")[0].split()[-1]
    assert call(*places, "--across", other)[0] == 0


def test_a_setting_that_does_not_differ_is_refused_with_those_that_do(tmp_path):
    *places, _, _ = across_template(tmp_path, [])
    code, _, done = call(*places, "--across", "temperature")
    assert code == 1 and "--across temperature: the runs do not differ in it" in done.output
    assert "they differ in chat template, few-shot as turns, generation until" in done.output


def test_the_noise_floor_stands_beside_the_effect(tmp_path):
    again = write_run(tmp_path / "again", [True] * 29 + [False] * 11, responses=["x"] * 40)
    plain = [write_run(tmp_path / name, v) for name, v in (("p", [True] * 30 + [False] * 10),)]
    other = write_run(tmp_path / "o", [True] * 20 + [False] * 20)
    code, text, _ = call(f"base={plain[0]}", f"tuned={other}", "--noise", again)
    said = " ".join(text.split())
    assert code == 0 and "2.5% of 40 problems flip between two runs of base (1 / 0, p=1.0000; 100.0%" in said
    assert "25.0% between A and B" in said and "no more problems" not in said
    code, text, _ = call(f"base={plain[0]}", f"same={plain[0]}", "--noise", again)
    said = " ".join(text.split())
    assert "A and B differ on no more problems than that" in said and "the two agree on every problem" in said


def test_noise_takes_runs_of_one_model(tmp_path):
    other = write_run(tmp_path / "other", [True] * 40, model="another")
    code, _, done = call(*two(tmp_path), "--noise", other)
    assert code != 0 and "two runs of one model" in done.output


@pytest.mark.parametrize(
    "arguments, why",
    [
        ((), "Missing argument"),
        (("a", "b", "--min-group", "0"), "min-group"),
    ],
)
def test_wrong_usage_exits_with_2(arguments, why):
    code, text, _ = call(*arguments)
    assert code == 2 and why in text


def test_one_run_is_not_enough_and_a_folder_may_hold_several(tmp_path):
    base, _ = two(tmp_path)
    code, text, _ = call(base)
    assert code == 2 and "at least two runs" in text
    code, text, done = call(tmp_path)
    assert code == 0 and "40 paired problems" in text, done.output


def test_a_field_that_no_document_has_is_named(tmp_path):
    code, _, done = call(*two(tmp_path), "--by", "level,country")
    assert code != 0 and "no document has country; they have gold, id, level, problem" in done.output


@pytest.mark.parametrize("truth", ["label", "reference_correct"])
@pytest.mark.parametrize("models", [("sonnet-4-6", "gpt-5.4"), ("gpt-5.4-mini", "qwen3-1.7b-drgrpo")])
def test_recorded_models_get_the_p_values_of_scipy_and_statsmodels(real_data, tmp_path, models, truth):
    a, b = (recorded(real_data, tmp_path, model, truth) for model in models)
    (unit,) = compare.compare(a, b).units
    right_a, right_b = ({s.doc_hash: s.scores["accuracy"] for s in r.unit("mathnet").samples} for r in (a, b))
    common = right_a.keys() & right_b.keys()
    only_a = sum(right_a[key] > right_b[key] for key in common)
    only_b = sum(right_a[key] < right_b[key] for key in common)
    assert (unit.n, unit.pairing.only_a, unit.pairing.only_b) == (len(common), only_a, only_b)
    assert unit.p == pytest.approx(scipy_stats.binomtest(only_a, only_a + only_b).pvalue)
    assert unit.p == pytest.approx(their_mcnemar([[0, only_a], [only_b, 0]], exact=True).pvalue)
    assert unit.a.left_out.only_here == len(right_a) - len(common) and unit.n > 225
