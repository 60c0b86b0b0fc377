"""An index that names other files than there are is repaired if the files hold all tensors, else refused."""

from __future__ import annotations

import json

import pytest

from lm_eval_ext.harness.errors import ModelError
from lm_eval_ext.harness.shards import INDEX, ORIGINAL, check_index, header

pytestmark = pytest.mark.unit


def shard(path, *tensors):
    about = json.dumps({"__metadata__": {}, **{name: {"dtype": "F32"} for name in tensors}}).encode()
    path.write_bytes(len(about).to_bytes(8, "little") + about + b"data")


def index(folder, **files):
    (folder / INDEX).write_text(json.dumps({"metadata": {"total_size": 8}, "weight_map": files}))


def test_an_index_that_names_other_files_is_rewritten(tmp_path, capsys):
    shard(tmp_path / "x-1.safetensors", "a", "b")
    shard(tmp_path / "x-2.safetensors", "c", "unused")
    index(tmp_path, a="model-1.safetensors", b="model-1.safetensors", c="model-2.safetensors")
    before, weights = (tmp_path / INDEX).read_text(), (tmp_path / "x-1.safetensors").read_bytes()
    check_index(tmp_path)
    said = capsys.readouterr().err
    assert "named model-1.safetensors, which is not there; rewritten" in said
    now = json.loads((tmp_path / INDEX).read_text())
    assert now["weight_map"] == {"a": "x-1.safetensors", "b": "x-1.safetensors", "c": "x-2.safetensors"}
    assert now["metadata"] == {"total_size": 8}
    assert (tmp_path / ORIGINAL).read_text() == before
    assert (tmp_path / "x-1.safetensors").read_bytes() == weights
    check_index(tmp_path)
    assert capsys.readouterr().err == "", "only once"


def test_a_right_index_and_no_index_are_left_alone(tmp_path):
    check_index(tmp_path)
    check_index(tmp_path / "absent")
    shard(tmp_path / "m.safetensors", "a")
    index(tmp_path, a="m.safetensors")
    before = (tmp_path / INDEX).read_text()
    check_index(tmp_path)
    assert (tmp_path / INDEX).read_text() == before and not (tmp_path / ORIGINAL).exists()


def test_missing_tensors_are_refused_in_one_line(tmp_path):
    shard(tmp_path / "x.safetensors", "a")
    index(tmp_path, a="m1.safetensors", b="m2.safetensors", c="m2.safetensors")
    with pytest.raises(ModelError, match=r"names m1\.safetensors, m2\.safetensors.* lack 2 of 3 tensors \(b"):
        check_index(tmp_path)
    assert not (tmp_path / ORIGINAL).exists()


@pytest.mark.parametrize("content", [b"", b"\xff" * 20, b"12345678{"])
def test_a_file_that_is_none_is_refused(content, tmp_path):
    (tmp_path / "x.safetensors").write_bytes(content)
    with pytest.raises(ModelError, match="is no safetensors file"):
        header(tmp_path / "x.safetensors")
