"""Remote paths: copied when they changed, and back; fsspec's memory and local files stand for s3 and gs."""

from __future__ import annotations

import fsspec
import pytest

from lm_eval_ext import remote
from lm_eval_ext.errors import DataError, UserError

pytestmark = pytest.mark.unit


@pytest.fixture
def bucket():
    fs = fsspec.filesystem("memory")
    fs.pipe({"/bucket/run/checkpoint-1/config.json": b"{}", "/bucket/run/checkpoint-1/sub/a.bin": b"12"})
    fs.pipe({"/bucket/run/checkpoint-2/config.json": b"{}", "/bucket/data.jsonl": b'{"a": 1}\n'})
    yield fs
    fs.rm("/bucket", recursive=True)


def test_a_folder_is_copied_once_and_again_when_it_changed(bucket, tmp_path):
    path = "memory://bucket/run/checkpoint-1"
    copy = remote.local_copy(path, tmp_path)
    assert copy.name == "checkpoint-1" and (copy / "sub" / "a.bin").read_bytes() == b"12"
    (copy / "mark").touch()
    assert remote.local_copy(path, tmp_path) == copy and (copy / "mark").exists(), "not copied again"
    bucket.pipe("/bucket/run/checkpoint-1/sub/a.bin", b"345")
    assert (remote.local_copy(path, tmp_path) / "sub" / "a.bin").read_bytes() == b"345"
    assert not (copy / "mark").exists()


def test_one_file_and_local_paths(bucket, tmp_path):
    assert remote.local_copy("memory://bucket/data.jsonl", tmp_path).read_bytes() == b'{"a": 1}\n'
    assert remote.local_copy(str(tmp_path), tmp_path) == tmp_path
    (tmp_path / "here.txt").write_text("x")
    assert remote.local_copy(f"file://{tmp_path}/here.txt", tmp_path / "cache").read_text() == "x"


def test_patterns(bucket, tmp_path):
    found = remote.matches("memory://bucket/run/checkpoint-*")
    assert sorted(found) == ["memory:///bucket/run/checkpoint-1", "memory:///bucket/run/checkpoint-2"]
    (tmp_path / "a1").mkdir()
    assert remote.matches(f"{tmp_path}/a*") == [str(tmp_path / "a1")]


def test_results_are_copied_out_without_locks_and_hidden_files(bucket, tmp_path):
    for name in ("results.json", "store/x.jsonl", "store/lock", ".unfinished"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    remote.copy_out(tmp_path, "memory://bucket/out/cell")
    assert sorted(bucket.find("/bucket/out")) == [
        "/bucket/out/cell/results.json",
        "/bucket/out/cell/store/x.jsonl",
    ]


@pytest.mark.parametrize(
    "path, error, why",
    [
        ("memory://bucket/absent", DataError, "memory://bucket/absent"),
        ("s3://bucket/model", UserError, "pip install s3fs"),
        ("nonsense://x", DataError, "nonsense://x: Protocol not known"),
        ("hf://gpt2", UserError, "expected hf://org/model"),
    ],
)
def test_what_cannot_be_copied_is_one_line(path, error, why, tmp_path):
    if path.startswith("s3") and "s3fs" in str(__import__("importlib.util").util.find_spec("s3fs")):
        pytest.skip("s3fs is installed")
    with pytest.raises(error, match=why) as refused:
        remote.local_copy(path, tmp_path)
    assert "\n" not in str(refused.value)


def test_a_name_on_the_hub_goes_through_its_cache(tmp_path, monkeypatch):
    import huggingface_hub

    asked = []

    def download(repository, **options):
        asked.append((repository, options))
        return str(tmp_path)

    monkeypatch.setattr(huggingface_hub, "snapshot_download", download)
    assert remote.local_copy("hf://org/model@v1/sub", tmp_path) == tmp_path / "sub"
    assert remote.local_copy("hf://datasets/org/data", tmp_path) == tmp_path
    assert asked == [
        ("org/model", {"repo_type": "model", "revision": "v1", "allow_patterns": ["sub", "sub/*"]}),
        ("org/data", {"repo_type": "dataset", "revision": None, "allow_patterns": None}),
    ]
