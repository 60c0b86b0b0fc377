"""A model that cannot be had is named in one line, whatever is wanted of it."""

import pytest

from lm_eval_ext.harness.errors import ModelError
from training.models import loaded_model, loaded_tokenizer

pytestmark = pytest.mark.unit


@pytest.mark.parametrize("load", [loaded_model, loaded_tokenizer])
def test_a_model_that_is_not_there(load, tmp_path):
    for name in ("/no/such/folder", "nobody/has-this", str(tmp_path)):
        with pytest.raises(ModelError, match=rf"^model {name}: .*Name a folder") as refusal:
            load(name)
        assert "\n" not in str(refusal.value)
