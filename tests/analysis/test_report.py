import csv
import io
import re
import sys

import pytest

from lm_eval_ext.analysis import breakdown, entries, naming, runs, tables
from lm_eval_ext.analysis.compare import compare
from lm_eval_ext.analysis.lm_eval_files import RunError
from lm_eval_ext.analysis.pages import clip
from lm_eval_ext.analysis.pages.mathml import rendered
from lm_eval_ext.analysis.report import Options, budget, build, figures, sections, write
from lm_eval_ext.analysis.report.cards import page
from lm_eval_ext.analysis.report.tokens import Tokenizer, tokenizer_of
from lm_eval_ext.analysis.report.write import page as html_page
from lm_eval_ext.grading import Grader, GraderConfig
from tests.analysis.logged import write_run
from tests.analysis.reported import HARM, HARMFUL_LATEX, Tags, byte_tokenizer, rewrite, two_runs, verdict

pytestmark = pytest.mark.unit

ONE_WORKER = Options(workers=1)


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    return build(two_runs(tmp_path_factory.mktemp("two")), ONE_WORKER)


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory):
    return byte_tokenizer(tmp_path_factory.mktemp("tokenizer"))


@pytest.fixture(scope="module")
def bytes_counted(tokenizer):
    found = tokenizer_of({"pretrained": tokenizer})
    assert isinstance(found, Tokenizer), found
    return found


def html_of(report):
    return html_page(report, sections.every_table(report), figures.figures(report))


def rows(table):
    return [dict(zip((c.name for c in table.columns), row, strict=True)) for row in table.rows]


def test_the_scoreboard_counts_what_is_scored_and_what_is_not(report):
    base, other = rows(sections.scoreboard(report))
    assert (base["n"], base["errors"], other["n"]) == (39, 1, 39)
    assert base["accuracy"].value == pytest.approx(20 / 39)
    assert base["accuracy"].low < 20 / 39 < base["accuracy"].high and base["accuracy"].n == 39
    assert base["undecided"] == pytest.approx(4 / 39) and base["accuracy_high"] == pytest.approx(24 / 39)
    assert base["answered"] == pytest.approx(38 / 39)
    assert base["judge decided"] == 1 and base["tokens"] is None and base["cost"] is None


def test_a_terminal_gets_few_lines_and_columns(report, tmp_path):
    made = sections.overview(report)
    assert [c.name for c in made.columns] == [
        "task", "run", "n", "accuracy", "accuracy_high", "undecided", "answered", "capped"
    ]  # fmt: skip
    head, first, _ = tables.as_text(made).splitlines()
    assert head.startswith("task ") and "51.3% [" in first and first.endswith(" –")
    places = [runs.load(write_run(tmp_path / str(i), [True], task=f"task{i:02}")) for i in range(20)]
    lines = tables.as_text(sections.overview(build(places, ONE_WORKER))).splitlines()
    assert len(lines) <= 14 and lines[-1] == "8 more rows are in the report"


def test_layers_add_up_to_the_responses(report):
    for row in rows(sections.layers(report)):
        assert sum(row[name] for name in sections.LAYER_PARTS) == row["n"] == 39
    assert rows(sections.layers(report))[0]["judge"] == 1


def test_pairs_are_those_of_compare(report):
    (row,) = rows(sections.pairs(report))
    four = [row[name] for name in ("both right", "only a", "only b", "neither")]
    (unit,) = report.comparisons[0].units
    assert four == [unit.pairing.both, unit.pairing.only_a, unit.pairing.only_b, unit.pairing.neither]
    assert sum(four) == row["n"] == 39 and row["p"] == unit.p


def test_breakdowns_count_every_problem_once_and_sort_levels(report):
    by_topic, by_level = sections.breakdowns(report)
    assert [row[0] for row in by_level.rows] == ["1", "2", "3", "4"]
    for table in (by_topic, by_level):
        assert sum(row[1] for row in table.rows) == 39


def test_small_values_become_one_row(tmp_path):
    docs = [
        {"id": str(i), "problem": "?", "gold": "1", "topic": "big" if i < 12 else f"small {i}"}
        for i in range(20)
    ]
    made = build([runs.load(write_run(tmp_path, [True] * 20, docs=docs))], ONE_WORKER)
    assert [row[:2] for row in sections.breakdowns(made)[0].rows] == [("big", 12), ("other (8 values)", 8)]


def test_a_problem_with_several_small_values_counts_once_in_their_row(tmp_path):
    topics = [["big"]] * 12 + [["rare", f"small {i}"] for i in range(4)]
    docs = [{"id": str(i), "problem": "?", "gold": "1", "topics_flat": t} for i, t in enumerate(topics)]
    loaded = naming.named([f"{name}={write_run(tmp_path / name, [True] * 16, docs=docs)}" for name in "ab"])
    made = build(loaded, Options(workers=1, fields=("topics_flat",)))
    (found,) = sections.breakdowns(made)
    (unit,) = compare(*loaded).units
    (paired,) = breakdown.breakdowns(unit, ["topics_flat"])
    assert [row[1] for row in found.rows] == [row.n for row in paired.rows] == [12, 4]
    assert found.rows[1][0] == "other (5 values)" and found.rows[1][2].n == 4


@pytest.mark.parametrize(
    "correct, answer, text, expected",
    [
        (True, "1", "x" * 64, entries.CORRECT),
        (None, "1", "x" * 64, "undecided"),
        (False, "1", "x" * 62, entries.COMMITTED),
        (False, "1", "x" * 63, entries.SATURATED_BOXED),
        (False, None, "x" * 64, entries.SATURATED_UNBOXED),
        (False, None, "x" * 62, entries.SHORT),
    ],
)
def test_miss_modes_by_tokens(tmp_path, tokenizer, correct, answer, text, expected):
    file = write_run(tmp_path, [True], responses=[text], model_args={"pretrained": tokenizer})
    layer = "none" if correct is None or answer is None else "exact"
    rewrite(file, lambda _, row: row.update(filtered_resps=[[verdict(correct, layer, answer)]]))
    (part,) = build([runs.load(file)], ONE_WORKER).parts
    assert part.entries[0].mode == expected
    assert part.entries[0].tokens == len(text) and part.entries[0].budget == 64


def test_recorded_tokens_stand_in_for_a_tokenizer_and_nothing_is_guessed(tmp_path):
    file = write_run(tmp_path, [False, False])
    rewrite(file, lambda i, row: row.update(output_tokens=64) if i == 0 else None)
    made = build([runs.load(file)], ONE_WORKER)
    assert [e.tokens for e in made.parts[0].entries] == [64, None]
    found = rows(sections.modes(made))[0]
    assert (found[entries.SATURATED_BOXED], found[entries.WRONG_UNKNOWN]) == (1, 1)
    assert any("token counts are not known" in line for line in made.warnings)
    assert sections.length_unit(made, "mathnet") == "characters"


def test_tokens_and_costs_that_were_logged_are_added_up(tmp_path):
    file = write_run(tmp_path, [True, False])
    rewrite(file, lambda i, row: row.update(output_tokens=10 + i, cost_usd=0.25))
    (row,) = rows(sections.scoreboard(build([runs.load(file)], ONE_WORKER)))
    assert (row["tokens"], row["tokens per response"], row["cost"]) == (21, 10.5, 0.5)


def test_repeats_are_responses_each(tmp_path):
    file = write_run(tmp_path, [True])
    both = {"resps": [["Final answer: 0", "Final answer: 5"]], "accuracy": 0.5}
    verdicts = [[verdict(True, "exact", "0"), verdict(False, "symbolic", "5")]]
    rewrite(file, lambda _, row: row.update(**both, filtered_resps=verdicts))
    made = build([runs.load(file)], ONE_WORKER)
    assert [e.outcome for e in made.parts[0].entries] == ["right", "wrong"]
    (row,) = rows(sections.scoreboard(made))
    assert row["n"] == 1 and row["accuracy"].value == 0.5


def test_a_score_that_is_no_accuracy_is_named(tmp_path):
    file = write_run(tmp_path, [True, False])
    made = build([runs.load(file)], ONE_WORKER.model_copy(update={"metric": "answered"}))
    assert "Under accuracy: the answered of mathnet. " in sections.scoreboard(made).note
    assert "Under accuracy" not in sections.scoreboard(build([runs.load(file)], ONE_WORKER)).note


def test_scores_of_another_grader_have_no_layers(tmp_path):
    file = write_run(tmp_path, [True, False])
    rewrite(file, lambda _, row: row.update(filtered_resps=["42"]))
    made = build([runs.load(file)], ONE_WORKER)
    assert not sections.layers(made).rows and not made.curves
    assert [e.outcome for e in made.parts[0].entries] == ["right", "wrong"]
    assert any("another grader" in line for line in made.warnings)
    assert "another grader wrote these scores" in html_of(made)


def test_responses_cut_at_a_budget_are_graded_again(tmp_path, tokenizer, bytes_counted):
    texts = ["Final answer: 0", "x" * 30 + " Final answer: 1", "x" * 30 + " Final answer: 7"]
    file = write_run(tmp_path, [True, True, False], responses=texts, model_args={"pretrained": tokenizer})
    made = build([runs.load(file)], Options(workers=1, budgets=(10, 20, 64)))
    points = made.curves["mathnet", 0]
    assert [(p.budget, round(p.accuracy.value * 3), p.cut) for p in points] == [
        (10, 0, 3),
        (20, 1, 2),
        (64, 2, 0),
    ]
    assert all((at := p.accuracy).n == 3 and at.low <= at.value <= at.high for p in points)
    with Grader(GraderConfig(workers=1)) as grader:
        (point,) = budget.curve(made.parts[0].entries, [46], bytes_counted, grader, lambda text: text[-1])
    assert point.cut == 0


def test_a_cut_counts_tokens_and_not_characters(bytes_counted):
    assert bytes_counted.counts(["aé", ""]) == [3, 0]
    assert bytes_counted.ends(["aé"]) == [[1, 2, 2]]


@pytest.mark.parametrize(
    "limit, expected",
    [
        (16384, (1024, 2048, 4096, 8192, 16384)),
        (5000, (1024, 2048, 4096, 5000)),
        (512, (64, 128, 256, 512)),
        (1, (1,)),
    ],
)
def test_default_budgets(limit, expected):
    assert budget.default_budgets(limit) == expected


def test_a_tokenizer_that_is_not_there_is_said_in_a_line(tmp_path):
    for args in ({}, {"pretrained": str(tmp_path / "none")}):
        assert isinstance(tokenizer_of(args), str)
    with pytest.raises(RunError, match="--tokenizer"):
        build([runs.load(write_run(tmp_path, [True]))], Options(workers=1, tokenizer=str(tmp_path / "none")))


def test_histograms_hold_every_length():
    sizes = [0, 1, 15, 16, 17, 1000, 1024]
    bounds = figures.edges(sizes)
    assert sum(figures.histogram(sizes, bounds)) == len(sizes)
    assert bounds[0] <= 1 and bounds[-1] > 1024 and figures.edges([]) == [1, 2**0.5, 2]


def test_unequal_protocols_and_runs_with_nothing_in_common_are_warnings(tmp_path):
    one = runs.load(write_run(tmp_path / "1", [True]), name="one")
    two = runs.load(write_run(tmp_path / "2", [True], model_args={"seed": 7}), name="two")
    other = runs.load(write_run(tmp_path / "3", [True], task="gsm8k"), name="three")
    said = "\n".join(build([one, two, other], ONE_WORKER).warnings)
    assert "one and two ran mathnet under unequal protocols. model argument seed: 42 and 7" in said
    assert "one and three are not compared" in said


def test_no_run_and_a_metric_that_is_not_there_are_refused(tmp_path):
    with pytest.raises(RunError, match="at least one run"):
        build([])
    with pytest.raises(RunError, match="no metric f1"):
        build([runs.load(write_run(tmp_path, [True]))], Options(metric="f1"))
    for wrong in ({"samples": -1}, {"budgets": (0,)}, {"response_chars": 5}):
        with pytest.raises(ValueError, match=str(next(iter(wrong)))):
            Options(**wrong)


def test_the_samples_page_shows_flips_and_misses_first_and_says_what_it_leaves_out(tmp_path):
    made = build(two_runs(tmp_path), Options(workers=1, samples=14))
    shown = page(made)
    assert sum(len(card.responses) for card in shown.cards) == 28
    assert all(card.divided for card in shown.cards[:6])
    assert len(shown.left_out) == 2 and "14 of 40 responses are here" in shown.left_out[0]
    left = sum(map(int, re.findall(r"(\d+) (?:right|wrong|undecided|no answer|error)", shown.left_out[0])))
    assert left == 26
    assert "right" in shown.left_out[0] and "undecided" not in shown.left_out[0]


def test_long_responses_keep_their_end():
    assert clip("abc", 5) == ("", 0, "abc")
    head, omitted, tail = clip("a" * 500 + "z" * 500, 100)
    assert (len(head), omitted, len(tail)) == (25, 900, 75) and tail == "z" * 75


def test_what_a_model_writes_is_never_markup(report):
    tags = Tags()
    made = html_of(report)
    tags.feed(made)
    assert made.startswith("<!DOCTYPE html>")
    assert tags.found.count("script") == 1 and "img" not in tags.found and "iframe" not in tags.found
    assert not [a for a in tags.attributes if a[1].startswith("on")]
    links = {value for _, name, value in tags.attributes if name in ("href", "src", "action", "srcset")}
    assert all(link.startswith("#") or link == "data:," for link in links)
    styles = {value for _, name, value in tags.attributes if name == "style"}
    assert not [style for style in styles if "url" in style]
    assert "{{ 7 * 7 }}" in made and "unicorn1." in made


@pytest.mark.parametrize(
    "text", [HARM, HARMFUL_LATEX, "$" + HARM + "$", r"\text{<b>}", r"$\text{<b onclick=x>a</b>}$"]
)
def test_no_formula_makes_markup(text):
    tags = Tags()
    tags.feed(str(rendered(text)))
    assert set(tags.found) <= {
        "math",
        "mrow",
        "mi",
        "mo",
        "mn",
        "mtext",
        "code",
        "msub",
        "msup",
        "mspace",
        "mstyle",
    }
    assert {name for _, name, _ in tags.attributes} <= {
        "display",
        "alttext",
        "class",
        "width",
        "stretchy",
        "form",
        "fence",
    }
    assert {value for _, name, value in tags.attributes if name == "class"} <= {"tex"}


@pytest.mark.parametrize(
    "text, expected",
    [
        (r"\frac{1}{2}", "<mfrac><mn>1</mn><mn>2</mn></mfrac>"),
        ("Is $x^2 < 4$?", "<msup><mi>x</mi><mn>2</mn></msup>"),
        (r"\[a_1\]", 'display="block"'),
        (r"$\nosuchcommand{x}$", r'<code class="tex">$\nosuchcommand{x}$</code>'),
        (r"$\left( x$", r'<code class="tex">'),
        ("All integers divisible by 3.", "All integers divisible by 3."),
        ("a < b & c", "a &lt; b &amp; c"),
        ("$" + "{" * 5000 + "$", '<code class="tex">'),
    ],
)
def test_formulas_become_mathml_and_what_does_not_stays_source(text, expected):
    assert expected in rendered(text)


def test_cells_are_safe_in_csv_and_markdown():
    made = tables.table(
        "t", "T", ("name", "share:share"), [["=cmd|x", 0.5], ["-3.5", None], ["a|b\n<i>", 1.0]], "n"
    )
    read = list(csv.reader(io.StringIO(tables.as_csv(made))))
    assert read == [["name", "share"], ["'=cmd|x", "0.5"], ["-3.5", ""], ["a|b\n<i>", "1.0"]]
    assert "| a\\|b &lt;i> | 100.0% |" in tables.as_markdown(made) and "| -3.5 | – |" in tables.as_markdown(
        made
    )
    with pytest.raises(AssertionError, match="2 columns"):
        tables.table("t", "T", ("a", "b"), [["one"]])


def test_all_files_are_written_and_every_table_is_in_them(report, tmp_path):
    written = {str(path.relative_to(tmp_path)) for path in write(report, tmp_path)}
    assert {
        "report.html",
        "report.md",
        "tables/scores.csv",
        "tables/pairs.md",
        "figures/layers.png",
    } <= written
    assert all((tmp_path / name).stat().st_size for name in written)
    assert all((tmp_path / name).read_bytes()[:4] == b"\x89PNG" for name in written if name.endswith(".png"))
    document = (tmp_path / "report.md").read_text()
    assert "<script" not in document and "<img" not in document
    figures = re.findall(r"\(figures/(.+?)\)", document)
    assert {f"figures/{name}" for name in figures} == {
        name for name in written if name.startswith("figures/")
    }
    assert len([n for n in written if n.endswith(".csv")]) == sum(
        bool(made.rows) for made in sections.every_table(report)
    )


def test_a_missing_extra_is_one_line(report, tmp_path, monkeypatch):
    module = sys.modules["lm_eval_ext.analysis.report.write"]  # the package has the function by this name
    monkeypatch.setattr(module, "_NEEDED", ("matplotlib", "surely_not_installed"))
    with pytest.raises(SystemExit, match=r"surely_not_installed: pip install 'lm-eval-ext\[report\]'"):
        write(report, tmp_path)


def test_the_manifest_of_a_run_is_shown(tmp_path):
    file = write_run(tmp_path, [True], protocol={"manifest": {"gpu": "none at all"}, "usage": {"calls": 3}})
    assert [what for _, what, _ in sections.manifests(build([runs.load(file)], ONE_WORKER))] == [
        "mathnet: manifest",
        "mathnet: usage",
    ]
    assert "none at all" in html_of(build([runs.load(file)], ONE_WORKER))


def test_figures_on_the_page_have_tooltips_and_the_colours_of_the_style_sheet(report):
    lengths = next(figure for figure in figures.figures(report) if figure.section == "lengths")
    drawn = lengths.svg()
    counts = re.findall(r"<title>\d+ to \d+ characters: (\d+) (right|not right)</title>", drawn)
    assert sum(int(n) for n, side in counts if side == "right") == 40
    assert sum(int(n) for n, _ in counts) == sum(len(part.asked) for part in report.units)
    assert "var(--normalized)" in drawn and "#4189bd" not in drawn and "<!--" not in drawn
