"""What doctor finds wrong: in this environment, and in folders and variables made for it."""

import importlib.metadata
import json
import os
import subprocess
import sys

import pytest

from lm_eval_ext.cli.doctor import _show
from lm_eval_ext.harness import doctor, hardware, sources

pytestmark = pytest.mark.unit


def states(found):
    return {check.name: check.state for check in found}


def made(folder, name, version, *requirements):
    """A distribution that consists of its metadata."""
    about = folder / f"{name.replace('-', '_')}-{version}.dist-info"
    about.mkdir(parents=True)
    lines = [f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}"]
    lines += [f"Requires-Dist: {requirement}" for requirement in requirements]
    (about / "METADATA").write_text("\n".join(lines) + "\n")


def test_a_wrong_check_says_what_to_do():
    with pytest.raises(AssertionError, match="nothing is advised"):
        doctor.Check("x", "wrong", "y")
    with pytest.raises(AssertionError, match="'bad'"):
        doctor.Check("x", "bad", "y")


@pytest.mark.parametrize(
    "distributions, check, name",
    [
        ([("torch", "9.0+cpu"), ("torchvision", "0.9")], doctor.companions, "torchvision"),
        ([("torch", "9.0+cpu"), ("torchaudio", "9.0+cu130")], doctor.companions, "torchaudio"),
        ([("antlr4-python3-runtime", "4.7.2")], doctor.antlr, "antlr"),
        ([("vllm", "9.9+cpu"), ("vllm-cpu", "9.8")], doctor.vllm_metadata, "vllm metadata"),
        (
            [("trl", "9", "transformers>=90"), ("transformers", "5")],
            doctor.requirements,
            "trl with transformers",
        ),
    ],
)
def test_what_does_not_go_together_is_wrong(distributions, check, name, tmp_path, monkeypatch):
    (tmp_path / "vllm.py").touch()
    for distribution in distributions:
        made(tmp_path, *distribution)
    monkeypatch.syspath_prepend(str(tmp_path))
    found = {c.name: c for c in check()}
    assert found[name].state == "wrong" and "pip" in found[name].advice


def test_an_extra_that_is_out_of_range_is_a_note(tmp_path, monkeypatch):
    made(tmp_path, "trl", "9", 'vllm<0.2; extra == "vllm"')
    made(tmp_path, "vllm", "0.31")
    monkeypatch.syspath_prepend(str(tmp_path))
    found = {c.name: c for c in doctor.requirements()}
    assert found["trl with vllm"].state == "note" and "found 0.31" in found["trl with vllm"].found


@pytest.mark.parametrize(
    "place, offline, state",
    [(None, "0", "ok"), (None, "1", "note"), ("sample", "0", "ok"), ("none", "0", "wrong")],
)
def test_data_and_the_hub(place, offline, state, monkeypatch, tmp_path):
    monkeypatch.setenv("HF_HUB_OFFLINE", offline)
    monkeypatch.setattr(sources, "no_hub", lambda: "HF_HUB_OFFLINE is set" if offline == "1" else None)
    monkeypatch.delenv("LM_EVAL_EXT_DATA", raising=False)
    if place:
        monkeypatch.setenv("LM_EVAL_EXT_DATA", place if place == "sample" else str(tmp_path / place))
    assert states(doctor.data())["data"] == state


@pytest.mark.parametrize("copies, state", [(False, "wrong"), (True, "note")])
def test_a_hub_that_does_not_answer(copies, state, monkeypatch, tmp_path):
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")  # the discard port: nothing listens
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    monkeypatch.delenv("LM_EVAL_EXT_DATA", raising=False)
    if copies:
        (tmp_path / "hub" / "datasets--openai--gsm8k").mkdir(parents=True)
    sources.no_hub.cache_clear()
    found = next(check for check in doctor.data() if check.name == "data")
    assert found.state == state and "127.0.0.1:9 does not answer" in found.found
    mathnet = sources.HubDataset("mathnet", "ShadenA/MathNet")
    with pytest.raises(sources.DataError, match=r"ShadenA/MathNet: .*LM_EVAL_EXT_DATA=sample"):
        sources.load(mathnet, ("test",))
    sources.no_hub.cache_clear()


def test_a_data_folder_with_some_of_the_files(monkeypatch, tmp_path):
    monkeypatch.setenv("LM_EVAL_EXT_DATA", str(tmp_path))
    assert states(doctor.data())["data"] == "wrong"
    (tmp_path / "gsm8k").mkdir()
    (tmp_path / "gsm8k" / "test.jsonl").touch()
    found = next(check for check in doctor.data() if check.name == "data")
    assert found.state == "note" and "mathnet" in found.advice and "gsm8k" not in found.advice


def test_a_process_that_holds_an_idle_gpu_is_named(tmp_path, monkeypatch):
    """GPU 0 is held and idle, GPU 1 is free, GPU 2 works."""
    smi = tmp_path / "nvidia-smi"
    smi.write_text(
        "#!/bin/sh\ncase $1 in *compute-apps*) echo 'GPU-a, 4711, python'; exit;; *name*) exit 6;; esac\n"
        "printf '0, GPU-a, 70000, 80000, 0\\n1, GPU-b, 10, 80000, 0\\n2, GPU-c, 70000, 80000, 93\\n'"
    )
    smi.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    (idle,) = [check for check in doctor.machine() if check.name == "idle GPU in use"]
    assert (idle.state, idle.found) == ("note", "GPU 0: 70000 of 80000 MiB, 0% busy, pid 4711 python")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "2")
    assert "idle GPU in use" not in states(doctor.machine())


@pytest.mark.parametrize("gpus, model", [(("one",), "vllm"), ((), "hf")])
def test_the_suggested_model_suits_the_machine(gpus, model, monkeypatch):
    monkeypatch.setattr(hardware, "gpus", lambda: gpus)
    assert hardware.model_options()[1] == model


def test_a_folder_that_is_a_file_cannot_be_written(monkeypatch, tmp_path):
    (tmp_path / "file").touch()
    monkeypatch.setenv("LM_EVAL_EXT_CACHE", str(tmp_path / "file"))
    assert states(doctor.folders())["our cache"] == "wrong"
    monkeypatch.setenv("LM_EVAL_EXT_CACHE", str(tmp_path / "to" / "be" / "made"))
    assert states(doctor.folders())["our cache"] == "ok"


@pytest.mark.parametrize("data, code", [("sample", 0), ("/nowhere/at/all", 1)])
def test_the_command_prints_and_its_exit_code_tells(data, code):
    environment = {**os.environ, "LM_EVAL_EXT_DATA": data, "COLUMNS": "200"}
    command = [sys.executable, "-m", "lm_eval_ext.cli", "doctor", "--json"]
    run = subprocess.run(command, capture_output=True, text=True, env=environment)
    rows = json.loads(run.stdout)
    wrong = {row["name"] for row in rows if row["state"] == "wrong"}
    assert run.returncode == (1 if wrong else 0) and ("data" in wrong) == bool(code)
    assert all(row["advice"] for row in rows if row["state"] == "wrong")
    assert {"python", "cores", "memory", "grader"} <= {row["name"] for row in rows}


def test_a_command_is_printed_on_one_line(monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "40")
    advice = "for evaluation with --model vllm: pip install 'lm-eval-ext[vllm]'"
    _show([doctor.Check("extra vllm", "note", "missing: [vllm]", advice), doctor.Check("python", "ok", "3")])
    lines = [line.strip() for line in capsys.readouterr().out.splitlines()]
    assert lines == ["note   extra vllm  missing: [vllm]", advice, "ok     python      3"]


@pytest.mark.parametrize("plugins, state", [("lm_eval_ext,other", "ok"), ("other", "note")])
def test_plain_lm_eval_on_a_cpu_needs_the_plugin_or_the_settings(plugins, state, monkeypatch):
    monkeypatch.setattr(doctor.engines, "on_cpu", lambda: {"VLLM_CPU_KVCACHE_SPACE": "2"})
    monkeypatch.setattr(doctor, "find_spec", lambda name: name)
    found = importlib.metadata.EntryPoint("lm_eval_ext", "lm_eval_ext.harness.engines:settle_lm_eval", "")
    monkeypatch.setattr(doctor, "entry_points", lambda group: [found])
    monkeypatch.setenv("VLLM_PLUGINS", plugins)
    (check,) = doctor.vllm_on_a_cpu()
    assert check.state == state and ("export VLLM_CPU_KVCACHE_SPACE=2" in check.advice) is (state == "note")
