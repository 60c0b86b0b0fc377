"""What a release needs: one version, its changelog entry, whole packages, containers that can be built."""

import os
import re
import shlex
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
import yaml

from lm_eval_ext import __version__
from tests.conftest import ROOT

pytestmark = pytest.mark.unit

BIN = Path(sys.executable).parent
CONTAINERS = sorted((ROOT / "containers").glob("Containerfile.*"))
OF_THE_CHECKOUT = re.compile(r"\S*\.(?:whl|pyc)$|(?:^|/)(?:out|\.venv|\.git)/")


def test_the_version_is_the_package_s_everywhere():
    assert yaml.safe_load((ROOT / "CITATION.cff").read_text())["version"] == __version__
    assert "version" not in (ROOT / "pyproject.toml").read_text().split("[project]")[1].split("dynamic")[0]


def test_the_changelog_has_an_entry_for_the_version():
    sections = re.split(r"^## ", (ROOT / "CHANGELOG.md").read_text(), flags=re.M)
    found = [text for text in sections if text.startswith(f"[{__version__}]")]
    assert found and "\n- " in found[0], f"CHANGELOG.md: no entry under ## [{__version__}]"


@pytest.mark.parametrize("file", CONTAINERS, ids=lambda path: path.name)
def test_what_a_container_copies_and_runs_is_there(file):
    steps = re.findall(r"^([A-Z]+) (.+)$", file.read_text().replace("\\\n", ""), re.M)
    copied = [word for name, rest in steps if name == "COPY" for word in rest.split()[:-1]]
    assert copied and [word for word in copied if not (ROOT / word).exists()] == []
    targets = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.M)
    ran = [shlex.split(part) for name, rest in steps if name == "RUN" for part in rest.split("&&")]
    assert [words for words in ran if words[0] == "make" and words[1] not in targets] == []
    needed = [word for words in ran for word in words if word.startswith("scripts/")]
    assert [word for word in needed if not any(word.startswith(place) for place in copied)] == []
    declared = {"lm_eval_ext", "training", "tasks_yaml", "baselines", "README.md", "LICENSE"}
    assert declared <= set(copied), "what pyproject.toml builds the package from"


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> dict[str, set[str]]:
    """Names in the wheel and the sdist: those in the folder DIST, or built here."""
    folder = Path(os.environ.get("DIST") or tmp_path_factory.mktemp("dist"))
    if "DIST" not in os.environ:
        subprocess.run([BIN / "uv", "build", "--quiet", "--out-dir", folder], check=True, cwd=ROOT)
    (wheel,), (sdist,) = folder.glob("*.whl"), folder.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    return {"wheel": set(zipfile.ZipFile(wheel).namelist()), "sdist": names}


@pytest.mark.full
def test_the_packages_are_whole_and_hold_nothing_else(built):
    assert {name.partition("/")[0] for name in built["wheel"]} == {
        "lm_eval_ext", f"lm_eval_ext-{__version__}.dist-info",
    }  # fmt: skip
    for kind, names in built.items():
        assert [name for name in names if OF_THE_CHECKOUT.search(name)] == [], kind
    for source, place in (("lm_eval_ext", "lm_eval_ext"), *((n, f"lm_eval_ext/{n}") for n in
                          ("training", "tasks_yaml", "baselines"))):  # fmt: skip
        files = [p for p in (ROOT / source).rglob("*") if p.is_file() and "__pycache__" not in p.parts]
        here = {str(path.relative_to(ROOT / source)) for path in files}
        assert [name for name in here if f"{place}/{name}" not in built["wheel"]] == []
        assert [name for name in here if f"{source}/{name}" not in built["sdist"]] == []
