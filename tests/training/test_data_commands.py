"""The data commands, with a model of random weights: sampled, graded, kept, resumed, joined."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import pytest
from typer.testing import CliRunner

from lm_eval_ext.harness.errors import DataError, UserError
from lm_eval_ext.harness.metrics import pass_at_k
from tests.training.models import write_tiny_qwen3
from training.data import difficulty, rows, sampling
from training.data.__main__ import app
from training.data.build import built, prompts_of, selected
from training.data.distill import distilled
from training.data.documents import documents
from training.data.sampling import Sampling, finish, sample
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
def _packaged(monkeypatch):
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


@dataclass
class Said:
    text: str
    tokens: int
    finish: str = "stop"


SAID = (
    Said("so 2. The answer is 2.", 9),
    Said("so  2.\nThe answer is 2.", 9),
    Said("The answer is 2.", 5),
    Said("The answer is 2.", 400, "length"),
    Said("The answer is 9.", 5),
    Said("no idea", 2),
)


class Scripted:
    """An engine that gives the texts in turn, one per repeat, and remembers what it was asked."""

    def __init__(self, fail_at: int | None = None) -> None:
        self.fail_at = fail_at
        self.asked: list[str] = []

    def set_cache_hook(self, hook):
        """Has no cache."""

    def tok_encode(self, texts):
        return [[text] for text in texts]

    def generate_until(self, requests, disable_tqdm=False):
        if self.fail_at is not None and len(self.asked) >= self.fail_at:
            raise KeyboardInterrupt
        found = []
        for request in requests:
            said = SAID[self.asked.count(request.doc["id"])]
            self.asked.append(request.doc["id"])
            self.__dict__.setdefault("ends", {})[(request.args[0],)] = (said.tokens, said.finish)
            found.append(said.text)
        return found


@pytest.fixture
def source(tmp_path):
    """Five problems, of which only d2 has the answer that is given."""
    file = tmp_path / "problems.jsonl"
    docs = [{"id": f"d{i}", "problem": f"p{i}?", "gold": str(i)} for i in range(5)]
    file.write_text("".join(json.dumps(doc) + "\n" for doc in docs))
    return file


def _sample(monkeypatch, engine, tiny, source, **settings):
    monkeypatch.setattr(sampling, "engine", lambda _: engine)
    given = {"model": tiny, "task": "arith_words", "num_fewshot": 0, "source": str(source), "samples": 6}
    given |= {"out": source.parent / "out.jsonl", "max_tokens": 400, "chunk": 2, "engine": "transformers"}
    asked = Sampling(**{**given, **settings})
    return asked, *sample(asked)


def test_right_responses_are_kept_whole_once_and_no_more_than_wanted(monkeypatch, tiny, source, tmp_path):
    asked, docs, found, settings = _sample(monkeypatch, Scripted(), tiny, source)
    kept, counts = distilled(docs, found, most=1)
    assert [(doc["id"], doc["problem_id"], doc["response"]) for doc in kept] == [
        ("d2/0", "d2", "so 2. The answer is 2.")
    ]
    assert counts == {
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
    shortest, _ = distilled(docs, found, most=1, prefer="shortest")
    assert shortest[0]["response"] == "The answer is 2." and not shortest[0]["id"].endswith("/3")
    both, _ = distilled(docs, found, most=5)
    assert [doc["id"] for doc in both] == ["d2/0", "d2/2"]
    finish(asked, kept, {**settings, "counts": counts})
    assert [doc["response"] for doc in _lines(tmp_path / "out.jsonl")] == ["so 2. The answer is 2."]
    written = json.loads((tmp_path / "out.jsonl.json").read_text())
    assert (written["counts"]["kept"], written["samples"], written["problems"]) == (1, 6, 5)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["out.jsonl", "out.jsonl.json", "problems.jsonl"]
    with pytest.raises(UserError, match="exists"):
        _sample(monkeypatch, Scripted(), tiny, source)


def test_an_interrupted_run_resumes_and_other_settings_are_refused(monkeypatch, tiny, source, tmp_path):
    broken = Scripted(fail_at=10)
    with pytest.raises(KeyboardInterrupt):
        _sample(monkeypatch, broken, tiny, source, samples=3)
    assert len(broken.asked) == 10 and not (tmp_path / "out.jsonl").exists()
    with pytest.raises(UserError, match="begun with other settings: seed is 7 and was 42"):
        _sample(monkeypatch, Scripted(), tiny, source, samples=3, seed=7)
    second = Scripted()
    _, docs, found, _ = _sample(monkeypatch, second, tiny, source, samples=3)
    assert len(second.asked) == 5
    assert [row["id"] for row in found] == [doc["id"] for doc in docs] == [f"d{i}" for i in range(5)]


def test_undecided_is_neither_kept_nor_wrong():
    doc = {"id": "d0", "problem": "p?", "gold": "0"}
    unsure = {"text": "a", "tokens": 1, "capped": False, "correct": None}
    kept, counts = distilled([doc], [{"id": "d0", "responses": [unsure]}])
    assert not kept and (counts["undecided"], counts["wrong"]) == (1, 0)
    probed = difficulty.probe_row({"id": "d0", "responses": [unsure]})
    assert difficulty.informative([probed]) == ([], {"undecided": 1})


def _texts(found):
    return [[response["text"] for response in row["responses"]] for row in found]


def test_the_same_command_samples_the_same_and_responses_differ(tiny, source, tmp_path):
    given = {"model": tiny, "task": "arith_words", "num_fewshot": 0, "source": str(source), "samples": 4}
    given |= {"max_tokens": 12, "engine": "transformers"}
    _, first, settings = sample(Sampling(out=tmp_path / "a", **given))
    assert _texts(first) == _texts(sample(Sampling(out=tmp_path / "b", **given))[1])
    assert all(len(set(texts)) == 4 for texts in _texts(first))
    responses = [response for row in first for response in row["responses"]]
    assert all(r["capped"] == (r["tokens"] == 12) for r in responses)
    assert settings["stops"] and all(stop not in r["text"] for r in responses for stop in settings["stops"])
    _, greedy, _ = sample(Sampling(out=tmp_path / "c", **{**given, "samples": 1, "temperature": 0.0}))
    assert len(greedy) == 5


def test_a_stop_string_ends_a_response(monkeypatch, tiny, source, tmp_path):
    stops = tuple(map(chr, range(33, 127)))
    monkeypatch.setattr("training.prompts.stops_of", lambda *_: list(stops))
    given = {"model": tiny, "task": "arith_words", "num_fewshot": 0, "source": str(source), "samples": 4}
    _, found, _ = sample(Sampling(out=tmp_path / "a", max_tokens=12, engine="transformers", **given))
    responses = [response for row in found for response in row["responses"]]
    assert not all(r["capped"] for r in responses)
    assert not any(set(r["text"]) & set(stops) for r in responses)


def test_prompts_and_responses_fit_the_window(tiny, source, tmp_path):
    given = {"model": tiny, "task": "arith_words", "source": str(source), "max_tokens": 2040}
    with pytest.raises(UserError, match="window is 2048: lower --max-tokens"):
        sample(Sampling(out=tmp_path / "a", **given))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (("--top-p", "0"), "--top-p must be over 0, got 0"),
        (("--temperature", "0"), "8 samples at temperature 0"),
        (("--engine", "sglang"), "engine is 'sglang'; it is auto, vllm or transformers"),
    ],
)
def test_sampling_that_means_nothing(settings, message):
    with pytest.raises(UserError, match=message):
        _run("probe", "--model", "m", "--task", "t", "--out", "o", *settings)


@pytest.mark.parametrize(
    "settings", [("--samples", 0), ("--max-tokens", -1), ("--top-k", -1), ("--top-p", 1.5)]
)
def test_sampling_out_of_range(settings):
    arguments = ["probe", "--model", "m", "--task", "t", "--out", "o", *map(str, settings)]
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 2 and "should be" in " ".join(done.output.split())


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
    assert [d["id"] for d in selected(recipe, prompts_of(recipe, None), len).docs] == [names[1], names[3]]
    (tmp_path / "few.txt").write_text(f"{names[1]}\ntrain 0003\n")
    with pytest.raises(DataError, match="1 of 2 ids have no document, 'train 0003'"):
        selected(recipe, prompts_of(recipe, None), len)


def test_pass_at_k_is_the_evaluations():
    responses = [{"tokens": 1, "capped": False, "correct": c} for c in (True, False, True, False)]
    row = difficulty.probe_row({"id": "a", "responses": responses})
    assert [row[f"pass@{k}"] for k in (1, 2, 4)] == [pass_at_k(4, 2, k) for k in (1, 2, 4)]
    assert difficulty.summary([row])["sometimes"] == 1
    with pytest.raises(DataError, match="row 1 is not of a probe"):
        difficulty.easiest_first([{"id": "a"}])


def test_distill_says_what_it_sampled_where_nothing_was_right(tiny, tmp_path):
    arguments = ["distill", "--model", tiny, "--task", "arith_words", "--size", 9, "--samples", 2,
                 "--max-tokens", 4, "--engine", "transformers", "--out", tmp_path / "d.jsonl"]  # fmt: skip
    with pytest.raises(UserError, match=r"no response was accepted \(problems \d, generated 1\d, capped"):
        _run(*arguments)
    assert list((tmp_path / "d.jsonl.partial").glob("store/*/*.chunk00000.*.jsonl"))
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
    levels = {doc["level"] for doc in selected(recipe, prompts_of(recipe, None), len).docs}
    assert levels and levels <= {3, 4, 5}


@pytest.mark.parametrize(
    "source, train, evaluation", [("arith_words", 4000, 600), ("math", 4, 63), ("gsm8k", 0, 20)]
)
def test_splits_are_written_apart(tmp_path, source, train, evaluation):
    said = _run("splits", source, "--out", tmp_path)
    rows = {name: _lines(tmp_path / f"{name}.jsonl") for name in ("train", "eval")}
    assert len(rows["eval"]) == evaluation and f"eval.jsonl: {evaluation} problems" in said
    assert len(rows["train"]) >= train and {"problem", "gold"} <= set(rows["eval"][0])
    assert not {row["problem"] for row in rows["train"]} & {row["problem"] for row in rows["eval"]}


def test_a_source_without_an_evaluation_split(tmp_path):
    (tmp_path / "own.jsonl").write_text('{"problem": "1+1?", "gold": "2", "solution": "2"}\n')
    with pytest.raises(UserError, match=r"own.jsonl has no evaluation split; sources with one: arith_words"):
        _run("splits", tmp_path / "own.jsonl", "--out", tmp_path)


def test_drawn_exemplars_are_shown_saved_and_neither_trained_nor_validated_on(tmp_path):
    from lm_eval_ext.harness.docs import gsm8k

    train = [{"question": f"q{i}", "answer": f"It is {i}.\n#### {i}"} for i in range(300)]
    (tmp_path / "gsm8k").mkdir()
    for split in ("train", "test"):
        (tmp_path / "gsm8k" / f"{split}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in train))
    found = gsm8k.dataset(str(tmp_path), drawn=True)
    shown = [doc["problem"] for doc in found["fewshot"]]
    assert len(set(shown)) == 8 and shown != [f"q{i}" for i in range(8)]
    assert len(found["validation"]) == gsm8k.VALIDATION and not {*shown} & {*found["validation"]["problem"]}
    assert not {*shown} & {doc["problem"] for doc in documents("gsm8k", str(tmp_path))}
    prompt = prompts_of(Recipe(task="gsm8k_ext_drawn", num_fewshot=2, data=str(tmp_path)), None)
    assert prompt.prompt(found["test"][0]).startswith(f"Question: {shown[0]}\nAnswer: It is")
    assert [doc["problem"] for doc in prompt.exemplars] == shown


def test_gsm8ks_easiest_half_has_the_fewest_steps_and_equations_as_solutions(tmp_path):
    from lm_eval_ext.harness.docs import gsm8k

    def row(name: str, steps: int) -> dict[str, str]:
        worked = "".join(f"So it is <<{name}+{i}={i}>>{i}.\n" for i in range(steps))
        return {"question": name, "answer": f"{worked}#### {len(name)}"}

    rows = [row(f"{'long' * (i % 2)}q{i}", i % 4) for i in range(16)]
    easy = gsm8k.easiest(rows)
    assert easy == [1, 2, 5, 6, 9, 10, 13, 14]  # one step or two; none marked and three are left out
    assert [len(gsm8k.equations(rows[i])) for i in easy] == [1, 2] * 4
    assert gsm8k.easiest([row("qq", 1), row("q", 1)]) == [1]
    (tmp_path / "gsm8k").mkdir()
    train = [row(f"q{i}", i % 4) for i in range(240)]
    for split in ("train", "test"):
        (tmp_path / "gsm8k" / f"{split}.jsonl").write_text("".join(json.dumps(one) + "\n" for one in train))
    found = gsm8k.dataset(str(tmp_path), easy=True)
    assert (len(found["test"]), len(found["validation"]), len(found["fewshot"])) == (120, 100, 8)
    docs = {doc["problem"]: doc for doc in documents("gsm8k_easy", str(tmp_path))}
    assert docs["q10"]["solution"] == "q10+0=0\nq10+1=1\nThe answer is 3." and docs["q10"]["gold"] == "3"
    assert {int(name[1:]) % 4 for name in docs} == {1, 2} and 112 <= len(docs) <= 120
