"""Keys and passwords: in no file under the output folder, in nothing printed, and the rest untouched."""

import json
import os
import threading

import pytest

from lm_eval_ext import atomic
from lm_eval_ext.analysis import runs
from lm_eval_ext.redaction import is_secret, redacted, redacted_settings, secret_texts
from tests.analysis.logged import write_run
from tests.conftest import lm_eval
from tests.scripted_server import serving

pytestmark = pytest.mark.unit

SECRET = (
    "api_key apiKey API-KEY apikey X-Api-Key x-goog-api-key OPENAI_API_KEY private_key auth_token "
    "access_keys hf_token token use_auth_token bearer_token header headers default_headers "
    "secret client_secret aws_secret_access_key password db_pwd Authorization credentials session_cookie"
)
OPEN = (
    "max_tokens tokenizer tokenizer_backend tokenized_requests max_gen_toks max_new_tokens eos_token "
    "pad_token_id skip_special_tokens add_bos_token custom_prefix_token_id think_end_token output_tokens "
    "num_key_value_heads author monkey judge_api_key_env passage seed base_url"
)


@pytest.mark.parametrize("name", SECRET.split())
def test_names_of_secrets(name):
    assert is_secret(name) and redacted({"a": [{name: "sk-1"}]}) == {"a": [{name: "***"}]}


@pytest.mark.parametrize("name", OPEN.split())
def test_names_of_settings(name):
    assert not is_secret(name) and redacted({name: "sk-1"}) == {name: "sk-1"}


@pytest.mark.parametrize(
    "text, hidden",
    [
        ("model=m,api_key=sk-1,max_tokens=5", "model=m,api_key=***,max_tokens=5"),
        ("header={'Authorization': 'Bearer sk-1'},seed=1", "header=***,seed=1"),
        ('{"judge": {"api_key": "sk-1"}, "n": 1}', '{"judge": {"api_key": "***"}, "n": 1}'),
        ("base_url=https://me:pw-1@host/v1,seed=1", "base_url=https://***@host/v1,seed=1"),
        ("http://host/v1?api_key=sk-1&version=2", "http://host/v1?api_key=***&version=2"),
        ("--tasks", "--tasks"),
    ],
)
def test_settings_in_a_text(text, hidden):
    assert redacted_settings(text) == hidden


def test_a_plain_word_is_hidden_under_its_name_alone():
    settings = {"api_key": "dummy", "header": {"Authorization": "Bearer sk-123"}, "url": "http://u:pw-123@h"}
    assert secret_texts(settings) == {"Bearer sk-123", "sk-123", "pw-123"}
    assert redacted(settings) == {"api_key": "***", "header": "***", "url": "http://***@h"}


def test_an_old_run_is_read_without_its_keys(tmp_path):
    run = runs.load(write_run(tmp_path, [True], task="key_facts", model_args={"api_key": "sk-test"}))
    assert "sk-test" not in str(run) and run.tasks["key_facts"].protocol["model argument api_key"] == "***"
    assert run.results[0]["results"]["key_facts"]["accuracy,grade_math"] == 1.0


FULL = pytest.mark.full


@pytest.mark.parametrize(
    "how", ["run", pytest.param("resume", marks=FULL), pytest.param("plain", marks=FULL)]
)
def test_a_key_is_in_no_file_of_a_run(how, tmp_path):
    secrets = ("sk-test", "tok-1234", "sk-hdr-1", "sk-gen-7")
    given = {"api_key": "sk-test", "auth_token": "tok-1234", "header": {"Authorization": "Bearer sk-hdr-1"}}
    with serving(lambda prompt: "The answer is 7.") as url:
        arguments = [
            *("--model", "local-chat-completions", "--tasks", "arith_words", "--limit", "2", "--log_samples"),
            *("--model_args", json.dumps({"model": "m", "base_url": url, **given}), "--apply_chat_template"),
            *("--gen_kwargs", "max_gen_toks=32,user_token=sk-gen-7", "--output_path", tmp_path),
        ]
        if how == "plain":
            done = lm_eval(*arguments, "--include_path", "tasks_yaml")
        else:
            resume = ("--resume", tmp_path) if how == "resume" else ()
            done = lm_eval("run", *resume, *arguments, program="lm-eval-ext")
    results = done.results(tmp_path)
    assert (
        results["config"]["model_args"]["api_key"] == "***" == results["config"]["gen_kwargs"]["user_token"]
    )
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(files) >= 2
    for secret in secrets:
        assert not [file for file in files if secret in file.read_text()]
        assert secret not in done.out and (how == "plain" or secret not in done.err)
    assert "api_key, auth_token, header on the command line" in done.err


def test_files_are_as_readable_as_the_umask_says_while_threads_write(tmp_path):
    before = os.umask(0o027)
    try:
        threads = [
            threading.Thread(target=atomic.write_text, args=(tmp_path / f"{i}", "x")) for i in range(20)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        os.umask(before)
    assert {file.stat().st_mode & 0o777 for file in tmp_path.iterdir()} == {0o640}
