"""The task class behind every YAML of this package: lm-eval's own, with the protocol enforced."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from typing import Any

from lm_eval.api.instance import Instance
from lm_eval.api.task import ConfigurableTask

from lm_eval_ext.grading.judge import LlmJudge
from lm_eval_ext.grading.judge.usage import JudgeUsage
from lm_eval_ext.harness import engines, judging, metrics, protocol, provenance, secrecy, validation
from lm_eval_ext.harness.errors import UserError
from lm_eval_ext.harness.filters import FILTER
from lm_eval_ext.redaction import redacted

log = logging.getLogger(f"lm_eval.{__name__}")  # below lm-eval's logger: its format, its verbosity


class MathTask(ConfigurableTask):
    """A YAML task that refuses runs outside the protocol and warns about runs that mean little.

    Defaults for what a YAML does not say: the filter `grade_math` and the metrics made from its verdicts. The
    reference answer is the document's `gold`, or the result of doc_to_target.

    `--metadata '{"repeats": 8}'` asks for several responses per problem and adds pass@k and maj@k;
    `--metadata '{"judge": "MODEL"}'` asks a judge about answers not found equal, see `judging`.
    """

    def __init__(self, config: dict[str, Any], **kwargs: Any) -> None:
        config = {key: value for key, value in config.items() if key != "class"}
        self.model_args: dict[str, Any] = config.get("metadata") or {}
        engines.end_at_exit()
        protocol.check_model_args(self.model_args, protocol.vllm_is_loaded())
        config["repeats"] = int(self.model_args.get("repeats", config.get("repeats", 1)))
        filters = config.get("filter_list") or [{"name": FILTER, "filter": [{"function": FILTER}]}]
        if config.setdefault("process_results", metrics.process_results) is metrics.process_results:
            _check_filters(config.get("task"), filters)
        known = {entry["metric"]: entry for entry in metrics.metric_list(config["repeats"])}
        listed = {entry["metric"]: entry for entry in config.get("metric_list") or []}
        config["metric_list"] = [
            {**known.get(name, {}), **listed.get(name, {})} for name in {**known, **listed}
        ]
        config["filter_list"] = judging.with_judge(filters, judging.settings_from(self.model_args))
        self._judges = judging.judges_of(config["filter_list"])
        super().__init__(config=config, **kwargs)
        _check_columns(self)
        self._plain_stops = self.config.generation_kwargs["until"]

    def download(self, dataset_kwargs: dict[str, Any] | None = None, **kwargs: Any) -> None:
        """lm-eval's, without its advice on `--metadata` for every task."""
        if not callable(self.config.custom_dataset):
            super().download(dataset_kwargs, **kwargs)
            return
        mistyped = validation.mistyped_metadata(self.model_args, self.config.custom_dataset)
        for name, meant in mistyped.items():
            log.warning("%s: --metadata %r is not read; did you mean %r?", self.config.task, name, meant)
        self.dataset = self.config.custom_dataset(**{**self.model_args, **(dataset_kwargs or {})})

    def build_all_requests(self, **kwargs: Any) -> None:
        """lm-eval's, with checks before it of the merged generation settings and after it of the prompts."""
        name, generation = self.config.task, self.config.generation_kwargs
        chat = bool(kwargs.get("apply_chat_template"))
        protocol.check_chat(self.model_args, chat)
        if generation.get("until") == self._plain_stops:  # otherwise they come from --gen_kwargs
            generation["until"] = protocol.stops_of(generation, chat)
        self._budget = protocol.check_generation(name, generation, self.config.repeats)
        super().build_all_requests(**kwargs)
        prompts = [instance.args[0] for instance in self._instances]
        if all(isinstance(prompt, str) for prompt in prompts):
            protocol.check_window(name, prompts, self._budget, self.model_args)
        for judge in self._judges:
            judging.try_judge(judge)
        secrecy.hide_in_record()
        self.config.filter_list = redacted(self.config.filter_list)
        self.config.metadata = {
            **redacted(self.model_args),
            "protocol": {
                "generation": redacted(dict(generation)),
                "versions": protocol.versions(),
                "chunk_size": self.model_args.get("chunk_size"),
            },
            "manifest": {**provenance.of_run(self.model_args), **provenance.of_requests(self._instances)},
        }

    def apply_filters(self) -> list[Instance]:
        """lm-eval's, with warnings if few responses answer or many exhaust the token budget.

        The judge's usage for this task is added to the protocol in the results.
        """
        for instance in self._instances:
            if "gold" not in instance.doc:
                instance.doc = {**instance.doc, "gold": self.doc_to_target(instance.doc)}
        before = [judge.usage for judge in self._judges]
        self.config.generation_kwargs = redacted(self.config.generation_kwargs)
        for instance in self._instances:  # everything is generated: what follows is the record
            instance.arguments = (instance.args[0], *map(redacted, instance.args[1:]))
        super().apply_filters()
        for judge, usage in zip(self._judges, before, strict=True):
            self._record_judge(judge, judge.usage - usage)
        self._mark_capped()
        by_filter = zip(*map(_graded, self._instances), strict=True)
        for warning in warnings_about(max(by_filter, key=_number_of_answers, default=())):
            log.warning("%s: %s", self.config.task, warning)
        return list(self._instances)

    def _record_judge(self, judge: LlmJudge, usage: JudgeUsage) -> None:
        self.config.metadata["protocol"]["judge"] = judge.record(usage)
        log.info("%s: %s", self.config.task, usage)
        if unasked := usage.unreachable + usage.rejected + usage.over_budget:
            log.warning(
                "%s: the judge left %d answers undecided: unreachable %d, rejected %d, over budget %d; "
                "lm-eval-ext regrade --judge asks again",
                *(self.config.task, unasked, usage.unreachable, usage.rejected, usage.over_budget),
            )

    def _mark_capped(self) -> None:
        """Marks the responses that the token budget cut off, if that can be known."""
        is_cut_off = protocol.truncation_test(self.model_args, self._budget)
        if is_cut_off is None:
            return
        for instance in self._instances:
            capped = [is_cut_off(response or "") for response in instance.resps]
            for graded in _graded(instance):
                graded.capped = capped


def _check_columns(task: ConfigurableTask) -> None:
    """Raises UserError for a column that the documents lack: lm-eval would take its name as the text."""
    for key in ("doc_to_text", "doc_to_target"):
        name = getattr(task.config, key)
        if isinstance(name, str) and name.isidentifier() and name not in task.features:
            columns = ", ".join(task.features)
            raise UserError(
                f"{task.config.task}: {key} names the column {name!r}; the documents have {columns}"
            )


def _check_filters(task: str | None, filters: list[dict[str, Any]]) -> None:
    for entry in filters:
        if (last := entry["filter"][-1].get("function")) != FILTER:
            raise UserError(
                f"{task}: filter {entry['name']} ends with {last}, but the metrics need verdicts: end it "
                f"with `- function: {FILTER}`, or name a process_results of your own"
            )


def _graded(instance: Instance) -> list[metrics.Graded]:
    return [graded for graded in instance.filtered_resps.values() if isinstance(graded, metrics.Graded)]


def _number_of_answers(docs: Sequence[metrics.Graded]) -> int:
    return sum(verdict.answer is not None for doc in docs for verdict in doc)


def warnings_about(docs: Sequence[metrics.Graded]) -> list[str]:
    """Reasons why a task's score may mean little."""
    if not docs:
        return []
    found = []
    answered = _number_of_answers(docs) / sum(map(len, docs))
    if answered < protocol.MIN_ANSWERED:
        found.append(
            f"only {answered:.0%} of the responses commit to an answer: the score says little about the "
            "model's mathematics; try --apply_chat_template, more shots or a larger max_gen_toks"
        )
    answers = [verdict for doc in docs for verdict in doc if verdict.answer is not None]
    reasons = Counter(str(verdict.reason) for verdict in answers if verdict.correct is None)
    if 2 * reasons.total() > len(answers):
        found.append(
            f"{reasons.total()} of {len(answers)} answers are undecided, most often: "
            f"{reasons.most_common(1)[0][0]}; accuracy says little, look at the reference answers"
        )
    capped = [one for doc in docs for one in doc.capped or ()]
    if capped and (share := sum(capped) / len(capped)) > protocol.MAX_CAPPED:
        found.append(f"{share:.0%} of the responses used up max_gen_toks; increase it")
    return found
