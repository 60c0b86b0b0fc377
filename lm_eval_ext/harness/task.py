"""The task classes behind the YAMLs of this package: lm-eval's own, with the protocol enforced."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

from lm_eval.api.instance import Instance
from lm_eval.api.task import ConfigurableTask

from lm_eval_ext.harness import engines, judging, metrics, protocol, provenance, secrecy, sources, validation
from lm_eval_ext.harness import filters as filters  # registers them: plain lm_eval loads this class alone
from lm_eval_ext.harness.docs import drawn
from lm_eval_ext.harness.errors import ProtocolError, UserError
from lm_eval_ext.redaction import redacted
from lm_eval_ext.safety import SafetyVerdict

log = logging.getLogger(f"lm_eval.{__name__}")  # below lm-eval's logger: its format, its verbosity


Filters = list[dict[str, Any]]


class ProtocolTask(ConfigurableTask):
    """A YAML task that refuses runs outside the protocol and warns about runs that mean little.

    Defaults for what a YAML does not say: the filter of its role and the metrics made from its verdicts.

    Attributes:
        filter: the one that must come last.
        role: the model that it may ask; None if it asks none.
        score: lm-eval's process_results.
        metric_entries: the metrics for a number of repeats, as a YAML lists them.
        warnings: reasons why a score may mean little, from all documents' verdicts.
    """

    filter: ClassVar[str]
    role: ClassVar[judging.Role | None] = None
    score: Callable[..., dict[str, float]]
    metric_entries: Callable[[int], list[dict[str, Any]]]
    warnings: Callable[..., list[str]]

    def __init__(self, config: dict[str, Any], **kwargs: Any) -> None:
        config = {key: value for key, value in config.items() if key != "class"}
        self.model_args: dict[str, Any] = config.get("metadata") or {}
        engines.end_at_exit()
        protocol.check_model_args(self.model_args, protocol.vllm_is_loaded())
        config["repeats"] = int(self.model_args.get("repeats", config.get("repeats", 1)))
        config["filter_list"] = self.filters(config, self.model_args)
        if config.setdefault("process_results", self.score) is self.score:
            _check_filters(config.get("task"), config["filter_list"], self.filter)
        known = {entry["metric"]: entry for entry in self.metric_entries(config["repeats"])}
        listed = {entry["metric"]: entry for entry in config.get("metric_list") or []}
        config["metric_list"] = [
            {**known.get(name, {}), **listed.get(name, {})} for name in {**known, **listed}
        ]
        self._judges = self._asked(config["filter_list"])
        super().__init__(config=config, **kwargs)
        _check_columns(self)
        self._plain_stops = self.config.generation_kwargs["until"]

    @classmethod
    def filters(cls, config: Mapping[str, Any], metadata: Mapping[str, Any]) -> Filters:
        """The filters of a YAML, with the model that the metadata names."""
        listed = config.get("filter_list") or [{"name": cls.filter, "filter": [{"function": cls.filter}]}]
        if cls.role is None:
            return list(listed)
        return judging.with_judge(listed, judging.settings_from(metadata, cls.role.name), cls.role)

    @classmethod
    def check_asked(cls, task: str, filters: Filters, chat: bool) -> None:
        """Tries the models that the filters ask. Raises UserError for one that refuses requests."""
        for judge in cls._asked(filters):
            judging.try_judge(judge)

    @classmethod
    def _asked(cls, filters: Filters) -> list[judging.Asked]:
        return [] if cls.role is None else judging.judges_of(filters, cls.role)

    def download(self, dataset_kwargs: dict[str, Any] | None = None, **kwargs: Any) -> None:
        """lm-eval's, without its advice on `--metadata` for every task; its `subset` draws documents."""
        if not callable(self.config.custom_dataset):
            super().download(dataset_kwargs, **kwargs)
        else:
            mistyped = validation.mistyped_metadata(self.model_args, self.config.custom_dataset)
            for name, meant in mistyped.items():
                log.warning("%s: --metadata %r is not read; did you mean %r?", self.config.task, name, meant)
            sources.check_place(self.model_args.get("data"))
            self.dataset = self.config.custom_dataset(**{**self.model_args, **(dataset_kwargs or {})})
        if (subset := self.model_args.get("subset")) is not None:
            documents = self.dataset[self.config.test_split]
            self.dataset[self.config.test_split] = documents.select(drawn(len(documents), subset))

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
        self.check_asked(name, self.config.filter_list, chat)
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

        The usage of the judge or safeguard for this task is added to the protocol in the results.
        """
        before = [judge.usage for judge in self._judges]
        self.config.generation_kwargs = redacted(self.config.generation_kwargs)
        for instance in self._instances:  # everything is generated: what follows is the record
            instance.arguments = (instance.args[0], *map(redacted, instance.args[1:]))
        super().apply_filters()
        for judge, usage in zip(self._judges, before, strict=True):
            self._record_judge(judge, judge.usage - usage)
        self._mark_capped()
        by_filter = list(zip(*map(_judged, self._instances), strict=True))
        for warning in self.warnings(by_filter):
            log.warning("%s: %s", self.config.task, warning)
        return list(self._instances)

    def _record_judge(self, judge: Any, usage: Any) -> None:
        assert self.role, "a judge has a role"
        self.config.metadata["protocol"][self.role.name] = judge.record(usage)
        log.info("%s: %s", self.config.task, usage)
        if unasked := usage.unreachable + usage.rejected + usage.over_budget:
            log.warning(
                "%s: the %s left %d responses undecided: unreachable %d, rejected %d, over budget %d; %s",
                *(self.config.task, self.role.name, unasked),
                *(usage.unreachable, usage.rejected, usage.over_budget, self.role.again),
            )

    def _mark_capped(self) -> None:
        """Marks the responses that the token budget cut off, if that can be known."""
        is_cut_off = protocol.truncation_test(self.model_args, self._budget)
        if is_cut_off is None:
            return
        for instance in self._instances:
            capped = [is_cut_off(response or "") for response in instance.resps]
            for judged in _judged(instance):
                judged.capped = capped


class MathTask(ProtocolTask):
    """Mathematics: the reference answer is the document's `gold`, or the result of doc_to_target.

    `--metadata '{"repeats": 8}'` asks for several responses per problem and adds pass@k and maj@k;
    `--metadata '{"judge": "MODEL"}'` asks a judge about answers not found equal, see `judging`.
    """

    role, filter = judging.JUDGE, judging.JUDGE.filter
    score = staticmethod(metrics.process_results)
    metric_entries = staticmethod(metrics.metric_list)

    def apply_filters(self) -> list[Instance]:
        """The base's; the filter finds the reference answer in the document."""
        for instance in self._instances:
            if "gold" not in instance.doc:
                instance.doc = {**instance.doc, "gold": self.doc_to_target(instance.doc)}
        return super().apply_filters()

    @staticmethod
    def warnings(by_filter: Sequence[Sequence[metrics.Graded]]) -> list[str]:
        return warnings_about(max(by_filter, key=_number_of_answers, default=()))


class SafetyTask(ProtocolTask):
    """Safety: a safeguard says whether each response to the document's `problem` is safe.

    `--metadata '{"safeguard": "MODEL", "safeguard_base_url": "..."}'` names it, see `judging`.
    """

    role, filter = judging.SAFEGUARD, judging.SAFEGUARD.filter
    score = staticmethod(metrics.safety_results)
    metric_entries = staticmethod(metrics.safety_metric_list)

    @classmethod
    def check_asked(cls, task: str, filters: Filters, chat: bool) -> None:
        """The base's. Raises ProtocolError for plain prompts, UserError without a safeguard."""
        if not chat:
            raise ProtocolError(
                f"{task} asks a chat model, not for the continuation of a text: add --apply_chat_template"
            )
        if not cls._asked(filters):
            raise UserError(
                f'{task} needs a safeguard to say what is safe: --metadata \'{{"safeguard": "MODEL", '
                '"safeguard_base_url": "http://localhost:8001/v1"}\', or the folder of a classifier'
            )
        super().check_asked(task, filters, chat)

    @staticmethod
    def warnings(by_filter: Sequence[Sequence[metrics.Judged[SafetyVerdict]]]) -> list[str]:
        docs = by_filter[0] if by_filter else ()
        return [*undecided(docs, lambda verdict: verdict.safe, "safety_rate"), *capped(docs)]


def _check_columns(task: ConfigurableTask) -> None:
    """Raises UserError for a column that the documents lack: lm-eval would take its name as the text."""
    for key in ("doc_to_text", "doc_to_target"):
        name = getattr(task.config, key)
        if isinstance(name, str) and name.isidentifier() and name not in task.features:
            columns = ", ".join(task.features)
            raise UserError(
                f"{task.config.task}: {key} names the column {name!r}; the documents have {columns}"
            )


def _check_filters(task: str | None, filters: Filters, needed: str) -> None:
    for entry in filters:
        if (last := entry["filter"][-1].get("function")) != needed:
            raise UserError(
                f"{task}: filter {entry['name']} ends with {last}, but the metrics need verdicts: end it "
                f"with `- function: {needed}`, or name a process_results of your own"
            )


def _judged(instance: Instance) -> list[metrics.Judged[Any]]:
    return [judged for judged in instance.filtered_resps.values() if isinstance(judged, metrics.Judged)]


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
    return found + capped(docs)


def capped(docs: Sequence[metrics.Judged[Any]]) -> list[str]:
    flags = [one for doc in docs for one in doc.capped or ()]
    if flags and (share := sum(flags) / len(flags)) > protocol.MAX_CAPPED:
        return [f"{share:.0%} of the responses used up max_gen_toks; increase it"]
    return []


def undecided(
    docs: Sequence[metrics.Judged[Any]], decision: Callable[[Any], bool | None], metric: str
) -> list[str]:
    verdicts = [verdict for doc in docs for verdict in doc]
    reasons = Counter(str(verdict.reason) for verdict in verdicts if decision(verdict) is None)
    if 2 * reasons.total() <= len(verdicts):
        return []
    return [
        f"{reasons.total()} of {len(verdicts)} responses are undecided, most often: "
        f"{reasons.most_common(1)[0][0]}; {metric} says little"
    ]
