"""The settings in which two runs differ: those that the comparison is about, and others."""

from __future__ import annotations

from collections.abc import Sequence

from lm_eval_ext.analysis import pairing, protocols
from lm_eval_ext.analysis.lm_eval_files import RunError
from lm_eval_ext.analysis.protocols import SettingDifference
from lm_eval_ext.analysis.runs import Run
from lm_eval_ext.harness.errors import ProtocolError
from lm_eval_ext.harness.protocol import stops_of

Differences = tuple[SettingDifference, ...]


def split(a: Run, b: Run, unit: str, across: Sequence[str]) -> tuple[Differences, Differences]:
    """The differences of a unit between two runs: the experiment, named by `across`, and the others.

    A chat template implies few-shot examples as turns, and no stop sequences of plain prompts.
    """
    found = _differences(a, b, unit, across)
    named = [one for one in found if any(_is_named(one.setting, name) for name in across)]
    template = next((one for one in named if one.setting == protocols.TEMPLATE), None)
    chosen = [one for one in found if one in named or (template and _implied(one, bool(template.a)))]
    return tuple(chosen), tuple(one for one in found if one not in chosen)


def require_none(a: Run, b: Run, others: dict[str, Differences]) -> None:
    """Raises ProtocolError if the settings of a unit differ, with both values."""
    listed = "; ".join(f"{unit}: {', '.join(map(str, found))}" for unit, found in others.items() if found)
    if listed:
        raise ProtocolError(
            f"{a.name} and {b.name} were not run under the same protocol. {listed}. "
            "Run one again under the other's settings, name what you compare with --across SETTING, "
            "or compare them anyway with --force"
        )


def require_differences(pairs: Sequence[tuple[Run, Run]], across: Sequence[str]) -> None:
    """Raises RunError if no pair differs in a setting of `across`, with the settings that differ."""
    settings = {
        one.setting
        for a, b in pairs
        for unit in pairing.common_units(a, b)
        for one in _differences(a, b, unit, across)
    }
    for name in across:
        if not any(_is_named(setting, name) for setting in settings):
            differ = ", ".join(sorted(settings)) or "nothing"
            raise RunError(f"--across {name}: the runs do not differ in it; they differ in {differ}")


def _differences(a: Run, b: Run, unit: str, across: Sequence[str]) -> list[SettingDifference]:
    """Of the tasks of a unit, each once; none if one run recorded nothing.

    In a comparison across settings the model is one of them.
    """
    models = protocols.differences({"model": a.model}, {"model": b.model}) if across else []
    found = {str(difference): difference for difference in models}
    for task in a.groups.get(unit, (unit,)):
        one, two = a.tasks[task], b.tasks[task]
        if one.protocol and two.protocol:
            differences = protocols.differences(one.protocol, two.protocol)
            differences += protocols.differences({"filter": one.filter}, {"filter": two.filter})
            found |= {str(difference): difference for difference in differences}
    return list(found.values())


def _is_named(setting: str, name: str) -> bool:
    """Whether a name, such as chat_template or temperature, means a setting."""
    full = setting.replace("_", " ")
    return name.replace("_", " ") in (full, full.removeprefix("generation ").removeprefix("model argument "))


def _implied(found: SettingDifference, a_is_chat: bool) -> bool:
    chat, plain = (found.a, found.b) if a_is_chat else (found.b, found.a)
    if found.setting == "generation until":
        return bool(chat == stops_of({"until": plain}, chat=True))
    return found.setting == "few-shot as turns" and plain is None
