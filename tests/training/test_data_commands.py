"""The data commands, with a model of random weights: sampled, graded, kept, gone on with, joined."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from lm_eval_ext.harness.errors import DataError, UserError
from lm_eval_ext.harness.metrics import pass_at_k
from tests.training.models import write_tiny_qwen3
from training.data import difficulty, rows
from training.data.__main__ import app
from training.data.build import built, documents_of, prompts_of
from training.data.distill import distilled
from training.data.documents import documents
from training.data.generators import Request, Response, Sampling, Transformers, generator
from training.data.sampled import Partial, sampled, settings_of
from training.recipe import Recipe

pytestmark = pytest.mark.unit


@pytest.fixture(scope="module")
def tiny(tmp_path_factory) -> str:
    return write_tiny_qwen3(tmp_path_factory.mktemp("tiny_qwen3"))


@pytest.fixture(scope="module")
def tokenizer(tiny):
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(tiny)


@pytest.fixture(autouse=True)
def sample(monkeypatch):
    monkeypatch.setenv("LM_EVAL_EXT_DATA", "sample")


def _lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def _run(*arguments: object) -> str:
    """What a command says; its UserError is raised."""
    done = CliRunner().invoke(app, [str(a) for a in arguments], catch_exceptions=True)
    if isinstance(done.exception, UserError):
        raise done.exception
    assert done.exit_code == 0, f"{done.output}\n{done.exception!r}"
    return done.output


DOCS = [{"id": f"d{i}", "problem": f"p{i}?", "gold": str(i)} for i in range(5)]
REQUESTS = [Request(doc["id"], doc["problem"]) for doc in DOCS]


class Scripted:
    """Says the same texts to every prompt, and remembers what it was asked."""

    def __init__(self, *responses: Response, fail_at: int | None = None) -> None:
        self.responses, self.fail_at = list(responses), fail_at
        self.asked: list[str] = []
        self.closed = 0

    def generate(self, requests, sampling):
        if self.fail_at is not None and len(self.asked) >= self.fail_at:
            raise KeyboardInterrupt
        self.asked += [request.name for request in requests]
        return [self.responses for _ in requests]

    def close(self):
        self.closed += 1


RIGHT_FOR_2 = (
    Response("so 2. The answer is 2.", 9, False),
    Response("so  2.\nThe answer is 2.", 9, False),
    Response("The answer is 2.", 5, False),
    Response("The answer is 2.", 400, True),
    Response("The answer is 9.", 5, False),
    Response("no idea", 2, False),
)


def _sample(engine, out, **settings):
    sampling = Sampling(samples=6, max_tokens=400)
    partial = Partial(out, settings_of(DOCS, REQUESTS, sampling, **settings))
    return sampled(DOCS, REQUESTS, lambda: engine, sampling, partial, chunk=2), partial


def test_right_responses_are_kept_whole_once_and_no_more_than_wanted(tmp_path):
    found, partial = _sample(Scripted(*RIGHT_FOR_2), tmp_path / "out.jsonl")
    kept, counts = distilled(DOCS, found, most=1)
    assert [(doc["id"], doc["problem_id"], doc["response"]) for doc in kept] == [
        ("d2/0", "d2", "so 2. The answer is 2.")
    ]
    assert vars(counts) == {
        "problems": 5,
        "generated": 30,
        "capped": 5,
        "undecided": 0,
        "wrong": 22,
        "accepted": 3,
        "duplicates": 1,
        "surplus": 1,
        "kept": 1,
        "solved": 1,
    }
    shortest, _ = distilled(DOCS, found, most=1, prefer="shortest")
    assert shortest[0]["response"] == "The answer is 2." and not shortest[0]["id"].endswith("/3")
    both, _ = distilled(DOCS, found, most=5)
    assert [doc["id"] for doc in both] == ["d2/0", "d2/2"]
    partial.finish(kept, {"counts": vars(counts)})
    assert [doc["response"] for doc in _lines(tmp_path / "out.jsonl")] == ["so 2. The answer is 2."]
    assert json.loads((tmp_path / "out.jsonl.json").read_text())["counts"]["kept"] == 1
    assert sorted(p.name for p in tmp_path.iterdir()) == ["out.jsonl", "out.jsonl.json"]
    with pytest.raises(UserError, match="exists"):
        _sample(Scripted(), tmp_path / "out.jsonl")


def test_an_interrupted_run_goes_on_and_other_settings_are_refused(tmp_path):
    out = tmp_path / "out.jsonl"
    broken = Scripted(*RIGHT_FOR_2, fail_at=2)
    with pytest.raises(KeyboardInterrupt):
        _sample(broken, out, model="m")
    assert broken.asked == ["d0", "d1"] and not out.exists() and broken.closed == 1
    with pytest.raises(UserError, match="begun with model='m', now it is 'other'"):
        _sample(Scripted(*RIGHT_FOR_2), out, model="other")
    second = Scripted(*RIGHT_FOR_2)
    found, _ = _sample(second, out, model="m")
    assert second.asked == ["d2", "d3", "d4"]
    assert [row["id"] for row in found] == [doc["id"] for doc in DOCS]


def test_undecided_is_neither_kept_nor_wrong():
    unsure = {"text": "a", "tokens": 1, "capped": False, "correct": None}
    kept, counts = distilled(DOCS[:1], [{"id": "d0", "responses": [unsure]}])
    assert not kept and (counts.undecided, counts.wrong) == (1, 0)
    probed = difficulty.probed([{"id": "d0", "responses": [unsure]}])
    assert difficulty.informative(probed) == ([], {"undecided": 1})


def test_transformers_samples_repeat_by_name_and_differ_within(tiny):
    engine = Transformers(tiny)
    sampling = Sampling(samples=4, max_tokens=12)
    requests = [Request("a", "Question: 1+1?"), Request("b", "Question: 1+1?")]
    together = engine.generate(requests, sampling)
    alone = engine.generate(requests[1:], sampling)
    assert together[1] == alone[0] and together[0] != together[1]
    assert len({response.text for response in together[0]}) == 4
    assert all(r.capped == (r.tokens == 12) for responses in together for r in responses)
    stopped = engine.generate(
        requests[:1], Sampling(samples=4, max_tokens=12, stops=tuple(map(chr, range(33, 127))))
    )
    assert all(len(r.text) <= len(f.text) for r, f in zip(stopped[0], together[0], strict=True))
    assert not all(r.capped for r in stopped[0])
    with pytest.raises(UserError, match="window is 2048: lower --max-tokens"):
        engine.generate(requests, Sampling(samples=1, max_tokens=2040))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"samples": 0}, "samples must be positive, got 0"),
        ({"top_p": 0.0}, "top_p must be over 0 and at most 1, got 0"),
        ({"temperature": 0.0}, "8 samples at temperature 0"),
        ({"max_tokens": -1}, "max_tokens must be positive, got -1"),
        ({"top_k": -1}, "top_k must be 0"),
    ],
)
def test_sampling_that_means_nothing(settings, message):
    with pytest.raises(ValueError, match=message):
        Sampling(**settings)


def test_there_is_no_other_engine(tiny):
    with pytest.raises(UserError, match="engine is 'sglang'; it is auto, vllm or transformers"):
        generator(tiny, "sglang")  # type: ignore[arg-type]


def test_probe_filter_and_curriculum_reach_the_recipe(tiny, tmp_path):
    out = tmp_path / "probe.jsonl"
    said = _run(
        "probe", "--model", tiny, "--task", "arith_words", "--num-fewshot", 0, "--size", 12, "--samples", 4,
        "--max-tokens", 8, "--engine", "transformers", "--chunk", 5, "--out", out,
    )  # fmt: skip
    assert "pass@1 0, pass@2 0, pass@4 0, never" in said
    probed = _lines(out)
    docs = documents("arith_words", size=12)
    assert {row["id"] for row in probed} < {doc["id"] for doc in docs}  # exemplars are not asked
    for row, right in zip(probed, [0, 2, 4, 1], strict=False):
        row["right"] = right
    out.write_text("".join(json.dumps(row) + "\n" for row in probed[:4]))
    names = [str(row["id"]) for row in probed[:4]]
    assert "2 ids (1 never solved, 1 always solved left out)" in _run(
        "filter", out, "--out", tmp_path / "ids.txt"
    )
    assert (tmp_path / "ids.txt").read_text().split() == [names[1], names[3]]
    _run("curriculum", out, "--out", tmp_path / "order.txt")
    assert (tmp_path / "order.txt").read_text().split() == [names[2], names[1], names[3], names[0]]
    _run("curriculum", out, "--sometimes", "--out", tmp_path / "few.txt")
    recipe = Recipe(task="arith_words", size=12, num_fewshot=0, curriculum=str(tmp_path / "few.txt"))
    assert [d["id"] for d in documents_of(recipe, prompts_of(recipe, None), len)] == [names[1], names[3]]
    (tmp_path / "few.txt").write_text(f"{names[1]}\ntrain 0003\n")
    with pytest.raises(DataError, match="1 of 2 ids have no document, 'train 0003'"):
        documents_of(recipe, prompts_of(recipe, None), len)


def test_pass_at_k_is_the_evaluations():
    responses = [{"tokens": 1, "capped": False, "correct": c} for c in (True, False, True, False)]
    row = difficulty.probed([{"id": "a", "responses": responses}])[0]
    assert [row[f"pass@{k}"] for k in (1, 2, 4)] == [pass_at_k(4, 2, k) for k in (1, 2, 4)]
    assert difficulty.summary([row])["sometimes"] == 1
    with pytest.raises(DataError, match="row 1 is of no probe"):
        difficulty.easiest_first([{"id": "a"}])


def test_distill_says_what_it_sampled_where_nothing_was_right(tiny, tmp_path):
    arguments = ["distill", "--model", tiny, "--task", "arith_words", "--size", 9, "--samples", 2,
                 "--max-tokens", 4, "--engine", "transformers", "--out", tmp_path / "d.jsonl"]  # fmt: skip
    with pytest.raises(UserError, match=r"no response was accepted \(problems \d, generated 1\d, capped"):
        _run(*arguments)
    assert (tmp_path / "d.jsonl.partial" / "000000.jsonl").is_file()
    with pytest.raises(UserError, match="--prefer is 'longest'"):
        _run(*arguments, "--prefer", "longest")


def test_a_distilled_document_is_a_source(tokenizer, tmp_path):
    doc = {
        "id": "x/0",
        "problem": "How much is 1 + 1?",
        "gold": "2",
        "solution": "long " * 50,
        "response": " 2. ",
    }
    file = tmp_path / "distilled.jsonl"
    file.write_text(json.dumps(doc) + "\n")
    recipe = Recipe(task="arith_words", source=str(file), num_fewshot=0, max_solution_tokens=10, boxed=True)
    made = built(recipe, "sft", tokenizer)
    assert made.docs == [
        {"id": "x/0", "prompt": "Question: How much is 1 + 1?\nAnswer:", "completion": " 2. "}
    ]


def test_build_counts_what_it_leaves_out(tiny, tmp_path):
    config = Path(__file__).resolve().parents[2] / "training" / "configs" / "smoke_sft.yaml"
    out = tmp_path / "rows.jsonl"
    said = _run("build", "--config", config, "--out", out, "--model_name_or_path", tiny, "--size", 60,
                "--max_row_tokens", 150, "--output_dir", tmp_path)  # fmt: skip
    made = _lines(out)
    assert set(made[0]) == {"id", "prompt", "completion"}
    assert f"{len(made)} of 60 documents; " in said
    assert max(len(row["prompt"] + row["completion"]) for row in made) < 150  # a token a byte, and the end
    assert "left out: exemplars of the task" in said and "left out: rows over 150 tokens" in said


ROW = {"language": "English", "images": None, "country": "X", "competition": "Y"}
MATHNET = [
    {
        **ROW,
        "id": "a",
        "problem_markdown": "One?",
        "final_answer": "1",
        "solutions_markdown": ["", "It is 1."],
    },
    {**ROW, "id": "b", "problem_markdown": "Two?", "final_answer": "2", "solution": "Surely 2, " * 40},
    {**ROW, "id": "c", "problem_markdown": "Three?", "final_answer": "3"},
    {
        **ROW,
        "id": "d",
        "problem_markdown": "Quatre?",
        "final_answer": "4",
        "language": "French",
        "solution": "C'est 4.",
    },
    {**ROW, "id": "e", "problem_markdown": "Five?", "final_answer": "", "solution": "5"},
]


def test_mathnet_trains_on_its_solutions(tokenizer, tmp_path, monkeypatch):
    from lm_eval_ext.harness.docs import mathnet

    (tmp_path / "mathnet").mkdir()
    published = {
        **ROW,
        "id": next(iter(mathnet._published()[0])),
        "problem_markdown": "?",
        "final_answer": "0",
    }
    (tmp_path / "mathnet" / "train.jsonl").write_text(
        "".join(json.dumps(r) + "\n" for r in [*MATHNET, published])
    )
    monkeypatch.setenv("LM_EVAL_EXT_DATA", str(tmp_path))
    assert [d["id"] for d in documents("mathnet")] == ["a", "b", "c"]
    assert "solution" not in mathnet.splits(str(tmp_path))[0][0]  # what evaluation logs has none
    settings = {"task": "mathnet_boxed", "chat": True, "thinking": False, "target": "solution", "boxed": True}
    recipe = Recipe(source="mathnet_multilingual", max_solution_tokens=200, **settings)
    made = built(recipe, "sft", tokenizer)
    assert made.left_out == {"without a solution": 1, "solutions over 200 tokens": 1}
    box = "\n\nTherefore, the final answer is $\\boxed{%s}$"
    assert [row["completion"] for row in made.docs] == ["It is 1." + box % 1, "C'est 4." + box % 4]
    assert all(row["prompt"].endswith("<think>\n\n</think>\n\n") for row in made.docs)
    plain = Recipe(source="mathnet", task="mathnet_boxed", target="solution", shape="full", size=1)
    assert built(plain, "sft", tokenizer).docs[0]["text"].endswith("\n\nSolution: It is 1.")


def test_gsm8ks_pool_is_never_trained_on(tokenizer):
    settings = {"task": "gsm8k_ext", "source": "gsm8k", "num_fewshot": 0}
    made = built(Recipe(**settings), "sft", tokenizer)  # of the 12 packaged rows 8 are the pool
    assert (made.found, made.left_out) == (4, {"exemplars of the task": 3}) and len(made.docs) == 1
    with pytest.raises(DataError, match=r"nothing to train on in gsm8k.*1 left out: validated on"):
        built(Recipe(**settings, validation_task="gsm8k_ext_validation"), "sft", tokenizer)


def test_gsm8k_columns_in_a_file_and_a_missing_field(tokenizer, tmp_path):
    file = tmp_path / "refined.jsonl"
    file.write_text(json.dumps({"question": "1 + 1?", "answer": "It is <<1+1=2>>2.\n#### 2"}) + "\n")
    settings = {"task": "gsm8k_ext", "source": str(file), "num_fewshot": 0}
    chat = built(Recipe(**settings, chat=True), "sft", tokenizer).docs[0]
    assert chat["completion"] == "It is 2. The answer is 2." and chat["prompt"].startswith("<|im_start|>")
    raw = built(Recipe(**settings), "sft", tokenizer).docs[0]
    assert raw["prompt"] + raw["completion"] == "Question: 1 + 1?\nAnswer: It is 2. The answer is 2."
    full = built(Recipe(**settings, shape="full"), "sft", tokenizer).docs[0]
    assert full == {"id": "refined-0", "text": raw["prompt"] + raw["completion"]}
    prompts = prompts_of(Recipe(**settings), None)
    with pytest.raises(DataError, match="exemplars of gsm8k_ext show a field that it lacks"):
        rows.supervised([{"id": "a", "problem": "p", "gold": "1", "solution": "s"}], prompts)


def test_levels_of_math(tokenizer):
    recipe = Recipe(task="math_0shot", source="math", levels=[3, 4, 5])
    with pytest.raises(DataError, match="left out: of another level"):
        built(Recipe(task="math_0shot", source="math", levels=[9]), "grpo", tokenizer)
    levels = {doc["level"] for doc in documents_of(recipe, prompts_of(recipe, None), len)}
    assert levels and levels <= {3, 4, 5}
