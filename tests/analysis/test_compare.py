import json

import numpy as np
import pytest
from scipy import stats as scipy_stats
from statsmodels.stats.contingency_tables import mcnemar as their_mcnemar
from statsmodels.stats.multitest import multipletests

from lm_eval_ext.analysis import compare, naming, runs, stats
from lm_eval_ext.analysis.breakdown import breakdowns, require_fields
from lm_eval_ext.analysis.compare import RunComparison, as_json
from lm_eval_ext.analysis.lm_eval_files import RunError
from lm_eval_ext.harness.errors import ProtocolError
from tests.analysis.logged import write_run

pytestmark = pytest.mark.unit


def outcomes(pairing):
    """Verdicts of two runs whose 2x2 table is this one."""
    counts = (pairing.both, pairing.only_a, pairing.only_b, pairing.neither)
    pairs = [p for p, n in zip([(1, 1), (1, 0), (0, 1), (0, 0)], counts, strict=True) for _ in range(n)]
    return [bool(a) for a, _ in pairs], [bool(b) for _, b in pairs]


def two_runs(folder, a, b, docs=None, **settings_of_b):
    one = write_run(folder / "a", a, model="a", docs=docs)
    two = write_run(folder / "b", b, model="b", docs=docs, **settings_of_b)
    return runs.load(one), runs.load(two)


@pytest.mark.parametrize(
    "pairing, rights, p",
    [
        (stats.Pairing(233, 91, 53, 118), (324, 286), 0.0019),
        (stats.Pairing(111, 73, 72, 242), (184, 183), 1.0),
    ],
    ids=["Sonnet 4.6 and GPT-5.4", "Qwen3-1.7B and GPT-5.4 Mini"],
)
def test_the_published_pairs_through_runs(tmp_path, pairing, rights, p):
    (unit,) = compare.compare(*two_runs(tmp_path, *outcomes(pairing))).units
    assert unit.pairing == pairing and unit.n == pairing.n
    assert (unit.a.score * unit.n, unit.b.score * unit.n) == pytest.approx(rights)
    assert round(unit.p, 4) == p and unit.p_corrected == unit.p and unit.test == compare.MCNEMAR
    table = [[pairing.both, pairing.only_a], [pairing.only_b, pairing.neither]]
    assert unit.p == pytest.approx(their_mcnemar(table, exact=True).pvalue)
    assert unit.a.interval == stats.wilson(rights[0], pairing.n)
    assert unit.interval.low <= unit.difference == pytest.approx((rights[0] - rights[1]) / pairing.n)
    assert unit.detectable == stats.minimum_detectable_effect(pairing.n, pairing.discordant / pairing.n)
    assert len(unit.flips) == pairing.discordant


def test_the_bootstrap_interval_is_near_the_exact_spread(tmp_path):
    pairing = stats.Pairing(233, 91, 53, 118)
    (unit,) = compare.compare(*two_runs(tmp_path, *outcomes(pairing))).units
    error = np.sqrt((pairing.discordant / pairing.n - unit.difference**2) / pairing.n)
    expected = (unit.difference - 1.96 * error, unit.difference + 1.96 * error)
    assert (unit.interval.low, unit.interval.high) == pytest.approx(expected, abs=0.003)


def test_what_cannot_be_paired_is_counted_with_its_reason(tmp_path):
    a, b = (write_run(tmp_path / name, [True] * n) for name, n in (("a", 6), ("b", 8)))
    for folder, spoilt in (("a", {1: {"error": "403"}}), ("b", {2: {"error": "403"}, 3: {"accuracy": None}})):
        file = next((tmp_path / folder).glob("samples_*"))
        rows = [json.loads(line) for line in file.read_text().splitlines()]
        rows = [{**row, **spoilt.get(row["doc_id"], {})} for row in rows]
        file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    (unit,) = compare.compare(runs.load(a), runs.load(b)).units
    assert unit.n == 3
    assert vars(unit.a.left_out) == {"refused": 1, "unscored": 0, "only_here": 0, "other_has_no_score": 2}
    assert vars(unit.b.left_out) == {"refused": 1, "unscored": 1, "only_here": 2, "other_has_no_score": 1}
    assert unit.a.left_out.total == 3
    assert str(unit.b.left_out).startswith("2 only in this run, 1 refused or failed, 1 without a score,")


def test_unequal_protocols_are_refused_with_both_values_unless_forced(tmp_path):
    a, b = two_runs(tmp_path, [True], [False], model_args={"seed": 7, "enforce_eager": True})
    with pytest.raises(ProtocolError, match=r"seed: 42 and 7.*--force") as refused:
        compare.compare(a, b)
    assert "enforce_eager: not set and True" in str(refused.value)
    (unit,) = compare.compare(a, b, force=True).units
    assert [found.setting for found in unit.settings] == [
        "model argument enforce_eager",
        "model argument seed",
    ]


def test_another_engine_version_is_a_remark(tmp_path):
    one = write_run(tmp_path / "a", [True], protocol={"versions": {"vllm": "0.31", "sympy": "1.14"}})
    two = write_run(tmp_path / "b", [True], protocol={"versions": {"vllm": "0.30", "torch": "2.13"}})
    (unit,) = compare.compare(*naming.named([one, two])).units
    assert unit.remarks == ("versions differ: vllm: '0.31' and '0.30'",) and not unit.settings


def test_a_run_without_any_protocol_is_compared_with_a_remark(tmp_path):
    a, b = two_runs(tmp_path, [True, False], [False, False])
    bare = runs.Run(**{**vars(b), "tasks": {k: bare_task(t) for k, t in b.tasks.items()}})
    (unit,) = compare.compare(a, bare).units
    assert unit.settings == () and unit.remarks == (compare.NOT_RECORDED.format("b"),)


def bare_task(task):
    fields = {name: getattr(task, name) for name in task.__dataclass_fields__}
    return runs.TaskRun(**{**fields, "protocol": {}})


def test_shares_over_repeats_get_a_permutation_test(tmp_path):
    a, b = two_runs(tmp_path, [True] * 12, [True] * 12)
    rng = np.random.default_rng(0)
    ours, theirs = rng.integers(0, 5, 12) / 4, rng.integers(0, 4, 12) / 4
    for place, shares in (("a", ours), ("b", theirs)):
        file = next((tmp_path / place).glob("samples_*"))
        rows = [json.loads(line) for line in file.read_text().splitlines()]
        lines = [json.dumps({**r, "accuracy": s}) + "\n" for r, s in zip(rows, shares, strict=True)]
        file.write_text("".join(lines))
    (unit,) = compare.compare(runs.load(a.place), runs.load(b.place)).units
    assert unit.test == compare.SIGN_FLIP and unit.pairing is None and not unit.binary
    differences = ours - theirs
    signs = np.array(np.meshgrid(*[[1, -1]] * 12)).reshape(12, -1)
    means = np.abs(differences @ signs)
    assert unit.p == pytest.approx(np.mean(means >= abs(differences.sum()) - 1e-9))
    assert unit.interval.low < unit.difference < unit.interval.high


def test_several_tests_are_corrected_together(tmp_path):
    verdicts = {"a": [True] * 40, "b": [True] * 30 + [False] * 10, "c": [True] * 25 + [False] * 15}
    loaded = naming.named([f"{k}={write_run(tmp_path / k, v)}" for k, v in verdicts.items()])
    made = compare.compare_all(loaded)
    assert [(m.a, m.b) for m in made] == [("a", "b"), ("a", "c"), ("b", "c")]
    raw = [m.units[0].p for m in made]
    assert [m.units[0].p_corrected for m in made] == pytest.approx(list(multipletests(raw, method="holm")[1]))


def numbered(prefix, n):
    return [{"id": str(i), "problem": f"{prefix} {i}?", "gold": "1"} for i in range(n)]


def test_a_field_pairs_problems_whose_hashes_differ(tmp_path):
    a = runs.load(write_run(tmp_path / "a", [True, False], docs=numbered("old", 2)))
    b = runs.load(write_run(tmp_path / "b", [False, False], docs=numbered("new", 2)))
    with pytest.raises(RunError, match="--pair-on id"):
        compare.compare(a, b)
    assert compare.compare(a, b, pair_on="id").units[0].pairing == stats.Pairing(0, 1, 0, 1)
    with pytest.raises(RunError, match="gold does not tell"):
        compare.compare(a, b, pair_on="gold")
    with pytest.raises(RunError, match="has no name to pair on; it has gold, id, problem"):
        compare.compare(a, b, pair_on="name")


def test_runs_without_a_common_task_or_metric_are_refused(tmp_path):
    a = runs.load(write_run(tmp_path / "a", [True]))
    with pytest.raises(RunError, match="no task in common"):
        compare.compare(a, runs.load(write_run(tmp_path / "b", [True], task="other")))
    with pytest.raises(RunError, match="no metric f1"):
        compare.compare(a, a, metric="f1")


def test_problems_cluster_by_a_field(tmp_path):
    rng = np.random.default_rng(0)
    docs = [{"id": str(i), "problem": f"{i}?", "gold": "1", "competition": str(i // 5)} for i in range(100)]
    easy = np.repeat(rng.random(20) < 0.5, 5)
    unit = compare.compare(*two_runs(tmp_path, [bool(e) for e in easy], [False] * 100, docs)).units[0]
    alone = np.std(easy) / 10
    assert unit.clustered_error("id") == pytest.approx(alone)
    assert unit.clustered_error("competition") == pytest.approx(alone * np.sqrt(5))


LEVELS = [*("easy",) * 40, *("hard",) * 30, *("rare",) * 3, *("odd",) * 2]


def levelled(folder):
    docs = [
        {"id": str(i), "problem": f"{i}?", "gold": "1", "level": level, "topics": [level, "all"]}
        for i, level in enumerate(LEVELS)
    ]
    b = [level != "hard" for level in LEVELS]
    return compare.compare(*two_runs(folder, [True] * len(LEVELS), b, docs)).units[0]


def test_a_breakdown_folds_small_groups_and_corrects_its_tests(tmp_path):
    unit = levelled(tmp_path)
    (found,) = breakdowns(unit, ["level"])
    assert [(row.value, row.n) for row in found.rows] == [("easy", 40), ("hard", 30), ("other (2 groups)", 5)]
    assert [row.difference for row in found.rows] == [0.0, 1.0, 0.0]
    hard = found.rows[1]
    assert hard.p == scipy_stats.binomtest(30, 30).pvalue and hard.p_corrected == pytest.approx(3 * hard.p)
    assert not found.several
    (small,) = breakdowns(unit, ["level"], min_group=3)
    assert small.rows[-1].value == "other (1 group)"


def test_several_breakdowns_are_corrected_together_and_a_list_counts_in_each(tmp_path):
    unit = levelled(tmp_path)
    level, topics = breakdowns(unit, ["level", "topics", "country"])
    assert [row.value for row in topics.rows] == [
        "all",
        "easy",
        "hard",
        "other (2 groups)",
    ] and topics.several
    assert level.rows[1].p_corrected == pytest.approx(7 * level.rows[1].p)
    with pytest.raises(RunError, match="no document has country; they have gold, id, level"):
        require_fields([RunComparison("a", "b", (unit,))], ["level", "country"])


def test_a_comparison_is_json(tmp_path):
    unit = levelled(tmp_path)
    read = json.loads(json.dumps(RunComparison("a", "b", (unit,)).json()))["units"][0]
    assert read["pairing"] == {"both": 45, "only_a": 30, "only_b": 0, "neither": 0}
    assert len(read["flips"]) == 30 and read["a"]["left_out"]["refused"] == 0
    (level,) = breakdowns(unit, ["level"])
    assert json.loads(json.dumps(as_json(level)))["rows"][1]["pairing"]["only_a"] == 30
