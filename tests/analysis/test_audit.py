import csv
import json

import pytest
from scipy.stats import binom

from lm_eval_ext.analysis import audit, runs
from lm_eval_ext.analysis.audit import GraderQuality, Stratum
from tests.analysis.logged import write_run
from tests.analysis.reported import rewrite, verdict
from tests.conftest import cases

pytestmark = pytest.mark.unit


@pytest.fixture
def sheet(tmp_path):
    """A sheet of 10 misses and 10 accepted answers, of 60 and 30; the folder it is in."""
    file = write_run(tmp_path / "run", [i % 3 == 0 for i in range(90)], model="org/secret-model")
    audit.export([runs.load(file)], 10, tmp_path / "audit", seed=3)
    return tmp_path / "audit"


def rows(folder, name="sheet.csv"):
    with (folder / name).open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def save(folder, labelled, name="labelled.csv", delimiter=","):
    with (folder / name).open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, labelled[0], delimiter=delimiter)
        writer.writeheader()
        writer.writerows(labelled)
    return folder / name


def key_of(folder):
    return json.loads((folder / "key.json").read_text())["answers"]


def labelled(folder, wrong=()):
    """All rows labelled as the grader had it, but for the ids in `wrong`."""
    answers = key_of(folder)
    found = rows(folder)
    for row in found:
        accepted = answers[row["audit_id"]]["stratum"] == "accepted"
        row["label"] = "yes" if accepted != (row["audit_id"] in wrong) else "no"
    return found


def test_the_sheet_is_blind_shuffled_and_the_same_for_a_seed(sheet, tmp_path):
    found = rows(sheet)
    assert len(found) == 20 and list(found[0]) == list(audit.COLUMNS)
    text = (sheet / "sheet.csv").read_text() + (sheet / "sheet.jsonl").read_text()
    assert not [
        word for word in ("secret-model", "exact", "accepted", "missed", "as written") if word in text
    ]
    strata = [key_of(sheet)[row["audit_id"]]["stratum"] for row in found]
    assert strata.count("accepted") == 10 and strata != sorted(strata) and strata != sorted(strata)[::-1]
    run = runs.load(next((tmp_path / "run").glob("results_*")))
    audit.export([run], 10, tmp_path / "again", seed=3)
    audit.export([run], 10, tmp_path / "other", seed=4)
    assert (tmp_path / "again" / "sheet.csv").read_text() == (sheet / "sheet.csv").read_text()
    assert (tmp_path / "other" / "sheet.csv").read_text() != (sheet / "sheet.csv").read_text()
    lines = [json.loads(line) for line in (sheet / "sheet.jsonl").read_text().splitlines()]
    assert [line["audit_id"] for line in lines] == [row["audit_id"] for row in found]


def test_labels_already_written_are_not_overwritten(sheet, tmp_path):
    run = runs.load(next((tmp_path / "run").glob("results_*")))
    with pytest.raises(ValueError, match="already exists"):
        audit.export([run], 10, sheet)


def test_labels_are_weighted_by_the_sizes_of_the_strata(sheet):
    wrong = [name for name, a in key_of(sheet).items() if a["stratum"] == "missed"][:2]
    wrong += [name for name, a in key_of(sheet).items() if a["stratum"] == "accepted"][:1]
    told = audit.judge_grader(save(sheet, labelled(sheet, wrong)), sheet / "key.json", sheet)
    # accepted: 30 in the run, 9 of 10 right, so 27; misses: 60 in the run, 2 of 10 right, so 12
    assert "| precision | 90.0% |" in told[0] and f"| recall | {27 / 39:.1%} |" in told[0]
    errors = [json.loads(line) for line in (sheet / "cases.jsonl").read_text().splitlines()]
    assert [set(error) for error in errors] == [set(cases("answers")[0])] * 3
    assert sorted(error["equal"] for error in errors) == [False, True, True]


@pytest.mark.parametrize(
    "delimiter, ids", [(";", str), (",", lambda name: str(int(name)))], ids=["semicolons", "1 for 0001"]
)
def test_what_spreadsheets_make_of_a_sheet_is_read(sheet, delimiter, ids):
    found = [
        {**row, "audit_id": ids(row["audit_id"]), "label": f" {row['label'].upper()} "}
        for row in labelled(sheet)
    ]
    told = audit.judge_grader(save(sheet, found, delimiter=delimiter), sheet / "key.json", sheet)
    assert "| recall | 100.0% |" in told[0]


def test_a_labelled_jsonl_is_read_and_unsure_is_in_no_share(sheet):
    found = labelled(sheet)
    found[0]["label"] = "unsure"
    found[1]["label"] = ""
    file = sheet / "labelled.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in found))
    told = audit.judge_grader(file, sheet / "key.json", sheet)
    assert "| precision | 100.0% |" in told[0]
    cells = [
        line.split("|")[3:6] for line in told[0].splitlines() if line.startswith(("| accepted", "| missed"))
    ]
    assert sum(int(cell) for row in cells for cell in row) == 19 and sum(int(row[2]) for row in cells) == 1


@pytest.mark.parametrize(
    "spoil, why",
    [
        (lambda found: found[2].update(label="maybe"), r"row 4 \(\d{4}\): label 'maybe'"),
        (lambda found: found[0].update(audit_id="9999"), "row 2: audit_id '9999' is not in the key"),
        (lambda found: found[1].update(found[0]), r"row 3: audit_id '\d{4}' is there twice"),
        (lambda found: [row.update(label="") for row in found], "no label yet"),
        (lambda found: [row.pop("label") for row in found], "no column label"),
    ],
    ids=["label", "id", "twice", "none", "column"],
)
def test_what_cannot_be_read_is_named_by_its_row(sheet, spoil, why):
    found = labelled(sheet)
    spoil(found)
    with pytest.raises(ValueError, match=why) as refused:
        audit.judge_grader(save(sheet, found), sheet / "key.json", sheet)
    assert isinstance(refused.value, SystemExit)


@pytest.mark.parametrize("text", ["{", "[]", '{"sizes": {}, "answers": {}}'])
def test_another_file_is_no_key(sheet, text):
    (sheet / "wrong.json").write_text(text)
    with pytest.raises(ValueError, match="no key of an audit"):
        audit.judge_grader(save(sheet, labelled(sheet)), sheet / "wrong.json", sheet)


def test_an_answer_that_was_not_found_becomes_a_case_of_extraction(tmp_path):
    file = write_run(tmp_path, [True, False])
    nothing = [[verdict(False, "none", None)]]
    rewrite(file, lambda i, row: row.update(filtered_resps=nothing) if i == 1 else None)
    audit.export([runs.load(file)], 5, tmp_path / "a")
    found = [{**row, "label": "yes"} for row in rows(tmp_path / "a")]
    audit.judge_grader(save(tmp_path / "a", found), tmp_path / "a" / "key.json", tmp_path / "a")
    (case,) = [json.loads(line) for line in (tmp_path / "a" / "cases.jsonl").read_text().splitlines()]
    assert set(case) == set(cases("extract")[0]) and case["answer"] == "1"


def test_scores_of_another_grader_cannot_be_audited(tmp_path):
    file = write_run(tmp_path, [True])
    rewrite(file, lambda _, row: row.update(filtered_resps=["42"]))
    with pytest.raises(ValueError, match="no verdict to audit"):
        audit.export([runs.load(file)], 5, tmp_path / "a")


@pytest.mark.parametrize(
    "accepted, missed, least",
    [
        (0.97, 0.05, 0.95),
        (0.9, 0.3, 0.949),
        (0.98, 0.03, 0.95),
        (0.99, 0.01, 0.92),  # what Wilson's interval itself covers of a share of 0.01 with n = 100
    ],
)
def test_the_intervals_cover(accepted, missed, least):
    """Exactly, over all that 100 labels each can come out as."""
    sizes, n = (600, 400), 100
    truth = sizes[0] * accepted / (sizes[0] * accepted + sizes[1] * missed)
    covered = 0.0
    for a in likely(n, accepted):
        for m in likely(n, missed):
            found = GraderQuality(Stratum(sizes[0], a, n - a, 0), Stratum(sizes[1], m, n - m, 0))
            interval = found.recall_interval
            assert interval.low <= found.recall <= interval.high
            chance = binom.pmf(a, n, accepted) * binom.pmf(m, n, missed)
            covered += chance * (interval.low <= truth <= interval.high)
    assert least <= covered <= 0.99


def likely(n, share):
    return [k for k in range(n + 1) if binom.pmf(k, n, share) > 1e-4]


def test_nothing_is_said_where_nothing_is_known():
    empty, some = Stratum(10, 0, 0, 3), Stratum(10, 5, 0, 0)
    assert GraderQuality(empty, some).precision is None and GraderQuality(empty, some).recall is None
    assert GraderQuality(some, empty).recall is None
    assert GraderQuality(some, Stratum(0, 0, 0, 0)).recall == 1.0
