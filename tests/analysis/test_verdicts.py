import json

import pytest

from lm_eval_ext.analysis import verdicts
from lm_eval_ext.analysis.lm_eval_files import RunError
from tests.conftest import ROOT

pytestmark = pytest.mark.unit

STORED = sorted((ROOT / "baselines" / "verdicts").glob("*.jsonl"))


def test_the_grader_gives_the_verdicts_that_were_recorded(capsys):
    assert verdicts.main([]) == 0, capsys.readouterr().out
    assert capsys.readouterr().out.count("0 changed") == len(STORED) == 3


@pytest.fixture
def tampered(tmp_path):
    """Two recorded verdicts of arith_words turned: as a changed grader would look."""
    file = tmp_path / "some.jsonl"
    rows = [json.loads(line) for line in STORED[1].read_text().splitlines()[:20]]
    rows[3]["correct"], rows[7]["layer"] = not rows[3]["correct"], "normalized"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return file


def test_a_changed_verdict_is_shown_and_can_be_accepted(tampered, capsys):
    original = STORED[1].read_text().splitlines()[:20]
    assert verdicts.main([str(tampered)]) == 1
    said = capsys.readouterr().out
    assert "20 verdicts, 2 changed" in said and said.count("\n  - ") == said.count("\n  + ") == 2
    assert "--accept" in said and json.loads(original[3])["id"] in said
    assert verdicts.main([str(tampered), "--accept"]) == 0
    assert tampered.read_text().splitlines() == original
    assert verdicts.main([str(tampered)]) == 0


def test_other_rows_are_refused(tampered):
    tampered.write_text('{"id": "1", "gold": "2"}\n')
    with pytest.raises(RunError, match="row 1: it has no extract and no response"):
        verdicts.read(tampered)
