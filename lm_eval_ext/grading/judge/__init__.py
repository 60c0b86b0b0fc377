"""The fourth layer: a language model judges answers that the other layers do not find equal."""

from lm_eval_ext.grading.judge.config import JudgeConfig
from lm_eval_ext.grading.judge.errors import JudgeError
from lm_eval_ext.grading.judge.llm_judge import LlmJudge
from lm_eval_ext.grading.judge.usage import JudgeUsage

__all__ = ["JudgeConfig", "JudgeError", "JudgeUsage", "LlmJudge"]
