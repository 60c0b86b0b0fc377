"""GRPO in TRL, rewarded by the evaluation's grader.

    pip install 'lm-eval-ext[train]'
    python examples/trl_reward.py --model_name_or_path Qwen/Qwen3-0.6B --output_dir out/grpo --max_steps 10

Any setting of TRL's GRPOConfig and ModelConfig is an option. TRL logs the reward as
`rewards/accuracy_reward/mean`.
"""

from datasets import Dataset
from trl import GRPOConfig, GRPOTrainer, ModelConfig, TrlParser

from lm_eval_ext.rewards import AccuracyReward

ASK = "What is {}/7 + {}/7? Think, then write: Final answer: x"


def problems(size: int = 64) -> Dataset:
    """Rows with a prompt and the column `gold`, which the reward reads."""
    sums = [(i % 6 + 1, i // 6 + 1) for i in range(size)]
    rows = [
        {"prompt": [{"role": "user", "content": ASK.format(a, b)}], "gold": f"{a + b}/7"} for a, b in sums
    ]
    return Dataset.from_list(rows)


if __name__ == "__main__":
    config, model = TrlParser((GRPOConfig, ModelConfig)).parse_args_and_config()
    trainer = GRPOTrainer(
        model=model.model_name_or_path,
        reward_funcs=AccuracyReward(),
        args=config,
        train_dataset=problems(),
    )
    trainer.train()
