"""The task class behind every YAML of this package: lm-eval's own, with the protocol enforced."""

from __future__ import annotations

import logging
from typing import Any

from lm_eval.api.instance import Instance
from lm_eval.api.task import ConfigurableTask

from lm_eval_ext.harness import engines, judging, manifest, metrics, protocol, secrecy
from lm_eval_ext.harness import filters as filters  # registers "grade_math"
from lm_eval_ext.redaction import redacted

log = logging.getLogger(f"lm_eval.{__name__}")  # below lm-eval's logger: its format, its verbosity


class MathTask(ConfigurableTask):
    """A YAML task that refuses runs outside the protocol and warns of runs that mean little.

    `--metadata '{"repeats": 8}'` asks for several responses per problem and adds pass@k and maj@k;
    `--metadata '{"judge": "MODEL"}'` has a judge asked about answers not found equal, see `judging`.
    """

    def __init__(self, config: dict[str, Any], **kwargs: Any) -> None:
        config = {key: value for key, value in config.items() if key != "class"}
        self.model_args: dict[str, Any] = config.get("metadata") or {}
        engines.end_at_exit()
        protocol.check_model_args(self.model_args, protocol.vllm_is_loaded())
        config["repeats"] = int(self.model_args.get("repeats", config.get("repeats", 1)))
        config["metric_list"] = [
            *config["metric_list"],
            *(
                {"metric": name, "aggregation": "mean", "higher_is_better": True}
                for name in metrics.repeat_metrics(config["repeats"])
            ),
        ]
        filters = config.get("filter_list") or []
        config["filter_list"] = judging.with_judge(filters, judging.settings_from(self.model_args))
        self._judges = judging.judges_of(config["filter_list"])
        super().__init__(config=config, **kwargs)
        self._plain_stops = self.config.generation_kwargs["until"]

    def build_all_requests(self, **kwargs: Any) -> None:
        """lm-eval's, between the two checks that need the merged generation settings and the prompts."""
        name, generation = self.config.task, self.config.generation_kwargs
        if generation.get("until") == self._plain_stops:  # else they come from --gen_kwargs
            generation["until"] = protocol.stops_of(generation, chat=bool(kwargs.get("apply_chat_template")))
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
            "manifest": {**manifest.of_run(self.model_args), **manifest.of_requests(self._instances)},
        }

    def apply_filters(self) -> list[Instance]:
        """lm-eval's, and a warning where few answered or many ran into the token budget.

        What the judge was asked for this task, and what that cost, joins the protocol in the results.
        """
        before = [judge.usage for judge in self._judges]
        self.config.generation_kwargs = redacted(self.config.generation_kwargs)
        for instance in self._instances:  # all is generated: what follows is the record
            instance.arguments = (instance.args[0], *map(redacted, instance.args[1:]))
        super().apply_filters()
        for judge, usage in zip(self._judges, before, strict=True):
            record = judge.record(judge.usage - usage)
            log.info("%s: %s", self.config.task, judge.usage - usage)
            self.config.metadata["protocol"]["judge"] = record
        responses = [response for instance in self._instances for response in instance.resps]
        for warning in self._warnings(responses):
            log.warning("%s: %s", self.config.task, warning)
        return list(self._instances)

    def _warnings(self, responses: list[str]) -> list[str]:
        found = []
        answered = self._answered()
        if answered < protocol.MIN_ANSWERED:
            found.append(
                f"only {answered:.0%} of the responses commit to an answer: the score says little about the "
                "model's mathematics; try --apply_chat_template, more shots or a larger max_gen_toks"
            )
        capped = self._capped(responses)
        if capped is not None and capped > protocol.MAX_CAPPED:
            found.append(f"{capped:.0%} of the responses used up max_gen_toks; give it more tokens")
        return found

    def _answered(self) -> float:
        """Share of responses with an answer, by the filter that finds most of them."""
        shares = []
        for name in self._instances[0].filtered_resps:
            verdicts = [v for i in self._instances for v in i.filtered_resps[name]]
            shares.append(sum(v.answer is not None for v in verdicts) / len(verdicts))
        return float(max(shares))

    def _capped(self, responses: list[str]) -> float | None:
        """Share of responses as long as the token budget; None where no tokenizer is at hand."""
        if "pretrained" not in self.model_args:
            return None
        count = protocol.token_counter(self.model_args)
        capped = [count(response) >= self._budget - 1 for response in responses]
        return sum(capped) / len(capped)
