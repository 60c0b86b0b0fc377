"""What set-up installs, and that extras which are used together can be installed together."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.conftest import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]
OF = {"gpu": set(EXTRAS) - {"docs"}, "cpu": {"judge", "report", "bench", "dev"}, "docs": {"docs"}}


def locked(hardware: str) -> list[str]:
    lines = (ROOT / "scripts" / "lock" / f"{hardware}.txt").read_text().splitlines()
    return [line for line in lines if not line.startswith("#")]


@pytest.mark.unit
@pytest.mark.parametrize("hardware", OF)
def test_a_lock_has_exact_versions_of_all_we_ask_for_and_no_addresses(hardware):
    lines = locked(hardware)
    assert [line for line in lines if not re.fullmatch(r"[\w.-]+==[\w.+!]+( ; .+)?", line)] == []
    pins = [Requirement(line) for line in lines]
    asked = [*PROJECT["dependencies"], *(text for extra in OF[hardware] for text in EXTRAS[extra])]
    for ours in map(Requirement, asked):
        found = [pin for pin in pins if canonicalize_name(pin.name) == canonicalize_name(ours.name)]
        assert found, f"{ours} is not in {hardware}.txt: make lock"
        versions = [next(iter(pin.specifier)).version for pin in found]
        assert all(version in ours.specifier for version in versions), f"{ours} is {versions}: make lock"


@pytest.mark.unit
def test_the_page_of_licences_has_every_dependency():
    page = (ROOT / "docs" / "licences.md").read_text()
    asked = [
        *PROJECT["dependencies"],
        *(text for extra in OF["gpu"] - {"bench", "dev"} for text in EXTRAS[extra]),
    ]
    names = {canonicalize_name(Requirement(text).name) for text in asked}
    assert sorted(name for name in names if f"| {name} |" not in page) == [], "make docs"


def resolved(*arguments: str, given: str = "") -> subprocess.CompletedProcess[str]:
    """`uv pip compile` for the machine that most users have; requirements that no file has on stdin."""
    uv = Path(sys.executable).parent / "uv"
    command = [str(uv), "pip", "compile", "--quiet", "--no-annotate", "--no-header"]
    command += ["--python-version", "3.12", "--python-platform", "linux", *arguments]
    return subprocess.run(command, input=given, capture_output=True, text=True, cwd=ROOT)


@pytest.fixture(scope="module")
def index() -> None:
    if (tried := resolved("-", given="packaging")).returncode:
        pytest.skip(f"no package index can be reached: {tried.stderr.strip().splitlines()[-1]}")


def taken_by(package: str, extra: str) -> dict[str, Requirement]:
    """What another package asks for with an extra of its own, as installed here: TRL's vLLM."""
    all_of_it = map(Requirement, metadata.requires(package) or ())
    return {
        canonicalize_name(ours.name): ours
        for ours in all_of_it
        if ours.marker and ours.marker.evaluate({"extra": extra})
    }


@pytest.mark.full
@pytest.mark.parametrize("extras", ["vllm,train", "vllm,judge,report", "api,hf,judge", ",".join(EXTRAS)])
def test_extras_that_are_used_together_resolve_together(index, extras):
    """And what they resolve to is what the others' own extras take: TRL's vLLM, lm-eval's litellm."""
    done = resolved(
        "pyproject.toml", *(option for extra in extras.split(",") for option in ("--extra", extra))
    )
    assert done.returncode == 0, done.stderr
    versions = dict(line.partition(" ;")[0].split("==") for line in done.stdout.splitlines())
    for package, extra in (("trl", "vllm"), ("lm-eval", "litellm"), ("lm-eval", "vllm"), ("lm-eval", "hf")):
        for name, theirs in taken_by(package, extra).items():
            assert package not in versions or versions.get(name) is None or versions[name] in theirs.specifier
