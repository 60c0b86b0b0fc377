"""No key of the command line is printed or written by lm-eval."""

import json
import os
import sys
from argparse import Namespace

import pytest

from lm_eval_ext.harness import secrecy

KEY = 'a"key\\of-32-characters-0123456789'
SETTINGS = {
    "model_args": {"pretrained": "m", "api_key": KEY},
    "metadata": {"judge_api_key": "second-key-9876"},
}


def results(folder, name="results_2026-01-01T00-00-00.json"):
    file = folder / name
    file.write_text(json.dumps({"config": {"model_args": SETTINGS["model_args"]}, "score": 0.5}))
    return file


def test_keys_are_hidden_in_what_is_printed_and_in_new_files(tmp_path, capsys):
    old = results(tmp_path, "results_2025-01-01T00-00-00.json")
    os.utime(old, (1, 1))
    samples = tmp_path / "samples_t_2026.jsonl"
    with secrecy.kept_secret(SETTINGS, tmp_path):
        print(f"called with {KEY}")
        print("and second-key-9876", file=sys.stderr)
        new = results(tmp_path)
        samples.write_text(json.dumps({"resps": [f"echo {KEY}"]}) + "\n")
    said = capsys.readouterr()
    assert "called with ***" in said.out and "and ***" in said.err
    assert json.loads(new.read_text()) == {
        "config": {"model_args": {"pretrained": "m", "api_key": "***"}},
        "score": 0.5,
    }
    assert json.loads(samples.read_text()) == {"resps": ["echo ***"]}
    assert json.loads(old.read_text())["config"]["model_args"]["api_key"] == KEY  # not of this run


def test_streams_are_restored_after_an_error(tmp_path):
    streams = (sys.stdout, sys.stderr)
    with pytest.raises(KeyError), secrecy.kept_secret(SETTINGS, None):
        assert sys.stdout is not streams[0] and sys.stdout.encoding == streams[0].encoding
        raise KeyError
    assert (sys.stdout, sys.stderr) == streams


def test_settings_without_keys_change_nothing(tmp_path):
    file = results(tmp_path)
    before, stream = file.read_bytes(), sys.stdout
    with secrecy.kept_secret({"model_args": {"pretrained": "m"}}, tmp_path):
        assert sys.stdout is stream
    assert file.read_bytes() == before


def test_the_record_of_a_running_evaluation_is_redacted_in_place():
    def simple_evaluate(model_args, metadata):
        task()
        return model_args, metadata

    def task():
        secrecy.hide_in_record()

    arguments = {"api_key": KEY, "pretrained": "m"}
    assert simple_evaluate(arguments, {}) == ({"api_key": "***", "pretrained": "m"}, {})
    task()  # outside of an evaluation there is nothing to hide


def test_settings_come_from_the_file_and_the_command_line(tmp_path):
    (tmp_path / "run.yaml").write_text("model: vllm\nlimit: 3\n")
    given = Namespace(config=str(tmp_path / "run.yaml"), limit=5, seed=None)
    assert secrecy.user_settings(given) == {"model": "vllm", "limit": 5, "config": given.config}


def test_a_key_is_warned_of_once(caplog, monkeypatch):
    monkeypatch.setattr(secrecy, "_warned", set())
    for _ in range(2):
        secrecy.warn({"api_key": KEY, "seed": 1})
    assert len(caplog.records) == 1 and "api_key" in caplog.text and KEY not in caplog.text
