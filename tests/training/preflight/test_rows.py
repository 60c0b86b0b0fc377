"""One recipe per pitfall that falls into it, and its fixed twin: the report names exactly that row."""

import signal

import pytest

from lm_eval_ext.rewards import AccuracyReward
from tests.training.preflight.conftest import row, written

pytestmark = pytest.mark.unit

STOPS = ["Question:", "\n\n"]
CHAT = {"chat": True, "thinking": False}
VLLM = {"use_vllm": True}
STOPPED = {**VLLM, "generation_kwargs": {"stop": STOPS}}
SEED = "tensor_parallel_size=1,seed=42"

SETTINGS = [
    (1, "sft", {"eval_model_args": "tensor_parallel_size=2,seed=42"}, {"eval_model_args": SEED}, "size=2"),
    (2, "sft", {"eval_model_args": "tensor_parallel_size=1"}, {"eval_model_args": SEED}, "add seed=42"),
    (
        3,
        "sft",
        {"eval_gen_kwargs": "max_gen_toks=0"},
        {"eval_gen_kwargs": "max_gen_toks=9"},
        "no max_gen_toks",
    ),
    (4, "sft", {**CHAT, "model": "first"}, CHAT, "turns with <|im_end|>, the model ends with <|endoftext|>"),
    (5, "sft", {**CHAT, "eval_chat": False}, CHAT, "part at character 0"),
    (5, "sft", {**CHAT, "eval_model_args": f"{SEED},enable_thinking=True"}, CHAT, "part at character"),
    (5, "grpo", {"eval_num_fewshot": 2}, {"num_fewshot": 2}, "part at character"),
    (6, "grpo", {"source": "contradicted"}, {}, "0 of 16 worked solutions are right"),
    (9, "grpo", {"generation_kwargs": {"seed": 7}}, {"generation_kwargs": {"min_p": 0.1}}, "seed=7"),
    (10, "grpo", {"generation_kwargs": {"stop_strings": STOPS}}, {}, "transformers path refuses"),
    (11, "grpo", {**STOPPED, "mask_truncated_completions": True}, STOPPED, "all be masked"),
    (12, "grpo", {**VLLM, "top_p": 0.95}, {**VLLM, "top_p": 1.0}, "top_p=0.95"),
    (12, "grpo", {**VLLM, "top_k": 20}, {"top_k": 20}, "top_k=20"),
    (
        13,
        "grpo",
        {**VLLM, "max_completion_length": 1200},
        {**VLLM, "max_completion_length": 1200, "vllm_importance_sampling_mode": "token_mask"},
        "sequence_mask",
    ),
    (14, "sft", {"shape": "full", "completion_only_loss": True}, {}, "on the prompt in 16 of 16 rows"),
    (
        14,
        "sft",
        {"completion_only_loss": False},
        {"completion_only_loss": True},
        "16 of 16",
    ),
    (15, "sft", {"max_length": 100}, {"max_length": 256}, "rows lose their end at max_length=100"),
    (16, "sft", {"source": "thinking"}, {}, "16 of 16 targets start with an empty <think></think>"),
    (16, "sft", {"chat": True}, CHAT, "asks for none"),
    (17, "sft", {"model": "second"}, {}, "padding is '!' (id 0), which texts have"),
    (
        18,
        "sft",
        {"model": "third"},
        {},
        "responses end in <|im_end|>; eos_token_id in generation_config is [256]",
    ),
    (19, "sft", {"curriculum": "spaced-ids"}, {"curriculum": "ids"}, "16 of 16 ids have no document"),
    (20, "grpo", {"per_device_train_batch_size": 4}, {}, "1 prompts a step"),
    (21, "grpo", {"lr_scheduler_type": "constant"}, {}, "set warmup_steps"),
    (
        21,
        "grpo",
        {"bounds": {"kl": 1.0}},
        {"bounds": {"kl": 1.0}, "beta": 0.1},
        "with beta: 0 no kl",
    ),
    (22, "grpo", {"source": "odd"}, {}, "an epoch sees 8 of 13 prompts, 8 at a time"),
    (24, "sft", {"use_peft": True}, {"use_peft": True, "dtype": "bfloat16"}, "loaded in float32, under"),
    (24, "sft", {"bf16": False}, {"bf16": False, "fp16": True}, "set bf16: true, for mixed precision"),
    (25, "sft", {"source": "leaking"}, {}, "1 training documents are an exemplar"),
    (26, "sft", {"save_total_limit": 1}, {"save_total_limit": 3}, "save_total_limit is 1"),
    (29, "sft", {"eval_gen_kwargs": "max_gen_toks=2040"}, {}, "the model's window is 2048"),
    (29, "grpo", {"max_completion_length": 2040}, {}, "the model's window is 2048"),
]


class Alarmed(AccuracyReward):
    """Grades with an alarm of its own, as math-verify does."""

    def __call__(self, completions, gold, **columns):
        """The rewards, if this is the main thread."""
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        return super().__call__(completions, gold, **columns)


class Sparing(AccuracyReward):
    """Grades only the first completion of a batch once something hung."""

    def __call__(self, completions, gold, **columns):
        """The rewards; all that stands behind a hang gets 0."""
        rewards = super().__call__(completions, gold, **columns)
        return (
            [None if i == rewards.index(None) else 0.0 for i in range(len(rewards))]
            if None in rewards
            else rewards
        )


REWARDS = [
    (7, lambda: AccuracyReward(stops=STOPS, undecided=0.0), "a comparison that hangs is scored 0"),
    (7, lambda: Sparing(stops=STOPS), "the next answer gets 0.0"),
    (8, lambda: Alarmed(stops=STOPS), "the reward raises in a thread (ValueError: signal only works in main"),
    (10, lambda: AccuracyReward(), "give AccuracyReward stops=['Question:', '\\n\\n']"),
]


def names_only(report, number, fragment, folder):
    """The JSON has that row as broken, no other, and says why."""
    said = written(report, folder)
    assert said["failed"] + said["warned"] == [number], [
        r for r in said["rows"] if r["status"] in ("failed", "warned")
    ]
    found = next(r for r in said["rows"] if r["row"] == number)
    assert fragment in found["seen"]
    assert "\n" not in found["seen"]
    assert found["status"] == ("failed" if found["severity"] == "error" else "warned")
    assert report.code == (1 if found["severity"] == "error" else 0)


@pytest.mark.parametrize("number, kind, defect, fixed, fragment", SETTINGS)
def test_a_defect_and_its_fixed_twin(check, tmp_path, number, kind, defect, fixed, fragment):
    names_only(check(kind, defect), number, fragment, tmp_path)
    twin = check(kind, fixed)
    assert twin.rows("failed", "warned", "not checked") == [] and twin.code == 0
    assert row(twin, number).status in ("passed", "does not apply")


@pytest.mark.parametrize("number, reward, fragment", REWARDS)
def test_a_reward_with_a_defect(check, tmp_path, number, reward, fragment):
    names_only(check("grpo", {}, rewards=[reward()]), number, fragment, tmp_path)


def test_the_same_reward_without_defect(check):
    report = check("grpo", {}, rewards=[AccuracyReward(stops=STOPS)])
    assert report.rows("failed", "warned", "not checked") == []
    assert [row(report, n).status for n in (6, 7, 8, 10)] == ["passed"] * 4


def test_a_reward_of_another_make_fails_all_that_the_grader_answers_for(check):
    def of_length(completions, **_):
        return [float(len(c)) for c in completions]

    report = check("grpo", {}, rewards=[of_length])
    assert report.rows("failed", "warned") == [6, 7, 8, 10]
    assert "the rewards are of_length" in row(report, 6).seen


def test_padding_that_is_the_end_fails_where_the_collator_masks_it(check, models):
    from transformers import AutoTokenizer, DataCollatorForLanguageModeling

    def masking(examples):
        tokenizer = masking.tokenizer
        batch = DataCollatorForLanguageModeling(tokenizer, mlm=False)(
            [{"input_ids": e["input_ids"]} for e in examples]
        )
        return dict(batch)

    for model, verdict in (("fourth", "failed"), ("sound", "passed")):
        masking.tokenizer = AutoTokenizer.from_pretrained(models[model])
        assert row(check("sft", {"model": model}, collated=masking), 17).status == verdict
    assert row(check("sft", {"model": "fourth"}), 17).status == "passed"  # TRL masks by length


def test_prompts_that_a_run_never_comes_to_are_not_dropped(check):
    """13 prompts, 8 at a time: one step sees the first 8, three would see the end of the epoch."""
    assert row(check("grpo", {"source": "odd", "max_steps": 1}), 22).status == "passed"
    assert row(check("grpo", {"source": "odd", "max_steps": 3}), 22).status == "warned"


def test_every_row_of_the_pitfalls_is_there():
    from training.preflight.checks import CHECKS

    errors = [1, 2, 4, 5, 6, 7, 8, 9, 11, 14, 15, 17, 18, 19, 23, 25, 31]
    severities = dict(sorted({(check.id, check.severity) for check in CHECKS}))
    assert list(severities) == list(range(1, 32)) == [n for n, _ in sorted({(c.id, c.title) for c in CHECKS})]
    assert [n for n, severity in severities.items() if severity == "error"] == errors
    assert len({(check.id, check.deep) for check in CHECKS}) == len(CHECKS)
    covered = {case[0] for case in (*SETTINGS, *REWARDS)}
    assert set(severities) - covered == {
        23,
        27,
        28,
        30,
        31,
    }  # of the model, of own verifiers


@pytest.mark.parametrize(
    ("verifier", "fragment"),
    [
        ("tests.rewards.test_verifiers:AllRight", "16 of 16 wrong answers, 16 of 16 empty answers"),
        ({"name": "format", "form": "r1"}, "format takes for right: 0 of 16 right answers, 0 of 16 wrong"),
    ],
)
def test_a_verifier_that_misjudges(check, verifier, fragment):
    report = check("grpo", {"verifier": verifier})
    assert report.rows("failed", "warned", "not checked") == [6, 31] and report.code == 1
    assert fragment in row(report, 31).seen


def test_a_mixture_is_checked_source_by_source(check, sources):
    sound, contradicted = ({"source": sources[name], "count": 16} for name in ("sound", "contradicted"))
    report = check("grpo", {"source": None, "sources": [sound, contradicted]})
    assert report.rows("failed", "warned", "not checked") == [6]
    assert row(report, 6).seen.startswith(f"{sources['contradicted']}: ")
    assert "an epoch sees 32 of 32 prompts" in row(report, 22).seen


def test_exemplars_that_are_phased_out_are_checked_at_both_ends(check):
    phased = {"num_fewshot": 2, "fewshot_phase_out": 8, "shuffle_dataset": False}
    assert check("grpo", phased).rows("failed", "warned", "not checked") == []
    report = check("grpo", {**phased, "eval_num_fewshot": 2})
    assert report.rows("failed") == [5] and ", 0 exemplars: row" in row(report, 5).seen


def test_before_training_nothing_is_merged(check):
    assert row(check("sft", {"use_peft": True}), 23).status == "does not apply"


def test_the_old_run_as_it_was(check):
    """Text rows, prompts of another mode than the evaluation's, and a max_length that cuts."""
    as_run = {
        **CHAT,
        "shape": "full",
        "completion_only_loss": True,
        "max_length": 200,
        "num_fewshot": 1,
        "eval_model_args": f"{SEED},enable_thinking=True",
    }
    report = check("sft", as_run)
    assert report.rows("failed") == [5, 14, 15] and report.rows("warned", "not checked") == []
    assert report.code == 1
    assert check("sft", {**as_run, "accept": "5 14 15"}).code == 0


@pytest.mark.parametrize("kind", ["sft", "grpo"])
@pytest.mark.parametrize("dtype", ["bfloat16", "float16", "auto"])
def test_16_bit_weights_are_refused_where_all_of_them_are_trained(check, kind, dtype):
    report = check(kind, {"dtype": dtype})
    assert report.code == 1 and [f.row for f in report.stopping] == [24]
    assert "round to nothing in 16 bits; set dtype: float32" in row(report, 24).seen
    assert check(kind, {"dtype": dtype, "use_peft": True}).code == 0
    assert check(kind, {"dtype": dtype, "accept": "24"}).code == 0
