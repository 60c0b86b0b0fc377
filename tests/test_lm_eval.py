"""The unmodified lm_eval command line over this package's tasks."""

import json
import time

import pytest

from lm_eval_ext.grading.extraction import boxes
from lm_eval_ext.grading.normalization import normalize
from lm_eval_ext.harness.docs import math, mathnet
from lm_eval_ext.harness.hardware import small_dtype
from lm_eval_ext.harness.metrics import SHARES
from lm_eval_ext.harness.sources import SAMPLE
from tests.conftest import lm_eval, samples
from tests.scripted_server import serving

pytestmark = pytest.mark.model

TASKS = ("--include_path", "tasks_yaml")


def scripted_answers(data, shift):
    """For each problem the gold solution (or answer) of the problem `shift` places further on."""
    math_docs = math.test_docs(math.SUBJECTS, data)
    said = [solution_text(doc) for doc in math_docs]
    answers = {doc["problem"]: said[(i + shift) % len(said)] for i, doc in enumerate(math_docs)}
    olympiad = mathnet.splits(data)[0]
    for i, doc in enumerate(olympiad):
        gold = olympiad[(i + shift) % len(olympiad)]["gold"]
        answers[doc["problem"]] = f"Some work.\n\nFinal answer: {gold}"
    return answers


def solution_text(doc):
    """The worked solution; where it has several boxes, its gold alone."""
    single = len(boxes(doc["solution"])) == 1 and r"\boxed" not in doc["problem"]
    return doc["solution"] if single else rf"The answer is $\boxed{{{doc['gold']}}}$."


def problem_of(prompt):
    text = prompt.partition("Problem: ")[2].removesuffix("\n\nSolution:")
    return text or prompt.removeprefix("Question: ").removesuffix("\nAnswer:")


def golds(data):
    """The gold that each scripted answer means, by that answer."""
    problems, meant = scripted_answers(data, shift=0), {}
    for doc in math.test_docs(math.SUBJECTS, data) + mathnet.splits(data)[0]:
        meant[problems[doc["problem"]]] = doc["gold"]
    return meant


def run_scripted(out, shift, *command, program="lm_eval"):
    answers = scripted_answers(SAMPLE, shift)
    with serving(lambda prompt: answers[problem_of(prompt)]) as url:
        run = lm_eval(
            *(*command, "--model", "local-chat-completions"),
            *("--model_args", f"model=scripted,base_url={url},num_concurrent=8,tokenized_requests=False"),
            *("--tasks", "mathnet,math_qwen", *TASKS, "--apply_chat_template"),
            *("--log_samples", "--output_path", out),
            program=program,
        )
    return run.results(out)


def test_gold_solutions_score_everything(tmp_path):
    results = run_scripted(tmp_path, shift=0)
    for task in ("mathnet", "math_qwen"):
        assert results["results"][task]["accuracy,grade_math"] == 1.0
    assert {key for key in results["results"]["math_qwen"] if "stderr" not in key and "," in key} == {
        f"{name},grade_math" for name in SHARES
    }  # no tokenizer is at hand: whether responses were cut off is not known
    verdict = json.loads(samples(tmp_path, "mathnet")[0]["filtered_resps"][0][0])
    assert verdict["correct"] is True and verdict["layer"] == "exact"
    protocol = results["configs"]["mathnet"]["metadata"]["protocol"]
    assert protocol["generation"]["max_gen_toks"] == 16384 and "math_verify" in protocol["versions"]
    assert protocol["generation"]["until"] == []


def test_golds_shifted_by_one_problem_score_only_where_they_agree(tmp_path):
    results, gold_of = run_scripted(tmp_path, 1, "run", program="lm-eval-ext"), golds(SAMPLE)
    answers = scripted_answers(SAMPLE, shift=1)
    for task in ("mathnet", *(f"math_qwen_{subject}" for subject in math.SUBJECTS)):
        rows = samples(tmp_path, task)
        accuracy = sum(row["accuracy"] for row in rows) / len(rows)
        assert accuracy == results["results"][task]["accuracy,grade_math"]
        for row in rows:
            given = normalize(gold_of[answers[row["doc"]["problem"]]])
            assert row["accuracy"] == (given == normalize(row["target"])), (given, row["target"])


def hf(model, *arguments):
    return lm_eval("--model", "hf", "--model_args", f"pretrained={model}", *TASKS, *arguments)


def launched(model, *arguments):
    """As `hf`, through the launcher, which reads no index of lm-eval's own tasks."""
    given = ("--model", "hf", "--model_args", f"pretrained={model}")
    return lm_eval("run", *given, *arguments, program="lm-eval-ext")


def test_the_hf_backend_with_a_chat_template(tiny_model, tmp_path):
    run = hf(
        *(tiny_model, "--tasks", "mathnet,mathnet_boxed,math_0shot,math500,gsm8k_ext,arith_words"),
        *("--limit", "1", "--gen_kwargs", "max_gen_toks=8", "--apply_chat_template"),
        *("--output_path", tmp_path, "--log_samples"),
    )
    written = run.results(tmp_path)
    results, recorded = written["results"], written["configs"]["mathnet"]["metadata"]
    assert recorded["protocol"]["chunk_size"] is None and recorded["manifest"]["documents"] == 1
    assert recorded["manifest"]["model"]["pretrained_identity"].startswith("sha256:")
    assert {f"{name},grade_math" for name in SHARES} <= set(results["mathnet"])
    assert results["mathnet"]["capped,grade_math"] == 1.0
    assert {"accuracy,strict-match", "accuracy,flexible-extract"} <= set(results["gsm8k_ext"])
    assert "commit to an answer" in run.err and "used up max_gen_toks" in run.err
    assert "--metadata" not in run.err  # lm-eval's advice to write one
    prompt = samples(tmp_path, "mathnet")[0]["arguments"]["gen_args_0"]["arg_0"]
    assert prompt.startswith("[user] Solve the following problem.") and prompt.endswith("[assistant] ")


def test_repeats_add_pass_at_k_and_majority(tiny_model, tmp_path):
    run = launched(
        *(tiny_model, "--tasks", "arith_words", "--limit", "2", "--metadata", '{"repeats": 4}'),
        *("--gen_kwargs", "max_gen_toks=4,do_sample=True,temperature=0.8", "--num_fewshot", "0"),
        *("--output_path", tmp_path, "--log_samples"),
    )
    results = run.results(tmp_path)["results"]["arith_words"]
    assert {"pass@1,grade_math", "pass@2,grade_math", "pass@4,grade_math", "maj@4,grade_math"} <= set(results)
    assert all(len(row["resps"][0]) == 4 for row in samples(tmp_path, "arith_words"))


@pytest.mark.full
def test_predict_only_needs_no_metrics(tiny_model, tmp_path):
    run = launched(
        *(tiny_model, "--tasks", "arith_words", "--limit", "1", "--predict_only"),
        *("--gen_kwargs", "max_gen_toks=4", "--output_path", tmp_path),
    )
    run.results(tmp_path)
    assert len(samples(tmp_path, "arith_words")) == 1


@pytest.mark.full
def test_a_task_refuses_in_one_clear_line(tiny_model, tmp_path):
    given = ("--limit", "1", "--gen_kwargs", "max_gen_toks=8192", "--output_path", tmp_path)
    run = hf(tiny_model, "--tasks", "arith_words", *given)
    assert run.code == 1 and not list(tmp_path.rglob("results_*"))
    assert "window is 8192" in run.err.strip().splitlines()[-1] and "Traceback" not in run.err


VLLM = f"dtype={small_dtype()},max_model_len=4096,enforce_eager=True"


@pytest.mark.parametrize(
    "settings, why",
    [
        ("tensor_parallel_size=2,seed=42", "tensor_parallel_size=1"),
        ("", "seed=42"),
        ("seed=42,pretrained=/no/such/folder", "model /no/such/folder: "),
    ],
)
def test_the_launcher_refuses_before_the_engine_starts(tiny_model, settings, why):
    start = time.monotonic()
    run = lm_eval(
        *("run", "--model", "vllm", "--model_args", f"pretrained={tiny_model},{VLLM},{settings}".rstrip(",")),
        *("--tasks", "mathnet", "--limit", "1"),
        program="lm-eval-ext",
    )
    assert run.code == 1 and why in run.err.strip().splitlines()[-1]
    assert "Traceback" not in run.err and "EngineCore" not in run.err + run.out
    assert time.monotonic() - start < 120


def test_the_launcher_knows_the_windows_of_models(tiny_model):
    run = launched(tiny_model, "--tasks", "mathnet")
    assert run.code == 1 and "max_gen_toks is 16384 and the model's window is 8192" in run.err


@pytest.fixture(scope="module")
def vllm_run(smollm2, tmp_path_factory):
    """Runs SmolLM2 in vLLM on arithmetic and a few problems; the second run must repeat the first."""

    asked = {"mathnet": list(range(2)), "arith_words": list(range(12))}

    def run(name):
        out = tmp_path_factory.mktemp(name)
        done = lm_eval(
            *("run", "--model", "vllm", "--batch_size", "auto", "--seed", "42", "--num_fewshot", "4"),
            *("--model_args", f"pretrained={smollm2},tensor_parallel_size=1,seed=42,{VLLM}"),
            *("--tasks", "mathnet,arith_words", "--samples", json.dumps(asked)),
            *("--gen_kwargs", "max_gen_toks=96", "--log_samples", "--output_path", out),
            program="lm-eval-ext",
        )
        warned = [line.partition("]")[2] for line in done.err.splitlines() if " WARNING " in line]
        assert len({*warned}) == len(warned) > 0, warned
        assert "INFO" in done.err and done.err.splitlines()[-1].startswith(f"next: lm-eval-ext view {out}")
        assert all(line.startswith(("vllm (", "|")) for line in done.out.splitlines() if line), done.out
        return done.results(out)["results"], out

    return run


def test_a_real_model_in_vllm_scores_and_repeats_itself(vllm_run):
    first, first_out = vllm_run("first")
    assert 0.2 <= first["arith_words"]["accuracy,grade_math"] <= 0.8
    assert first["arith_words"]["answered,grade_math"] >= 0.9
    assert first["mathnet"]["answered,grade_math"] > 0
    second, second_out = vllm_run("second")
    for task in ("mathnet", "arith_words"):
        one, two = samples(first_out, task), samples(second_out, task)
        assert [row["resps"] for row in one] == [row["resps"] for row in two]
        assert first[task]["accuracy,grade_math"] == second[task]["accuracy,grade_math"]


@pytest.mark.full
def test_plain_lm_eval_with_tensor_parallelism_generates_nothing(tiny_model, tmp_path, monkeypatch):
    settings = "tensor_parallel_size=2,seed=42"
    monkeypatch.setenv("VLLM_CPU_OMP_THREADS_BIND", "0|1")  # lets two workers start on one NUMA node
    run = lm_eval(
        *("--model", "vllm", "--model_args", f"pretrained={tiny_model},{VLLM},{settings}"),
        *("--tasks", "arith_words", *TASKS, "--limit", "1", "--output_path", tmp_path),
    )
    assert run.code == 1 and not list(tmp_path.rglob("results_*"))
    refusals = [line for line in run.err.splitlines() if line.startswith("tensor_parallel_size=2: ")]
    assert len(refusals) == 1 and "one process per GPU" in refusals[0], run.err[-3000:]
    assert "Running generate_until requests" not in run.err
