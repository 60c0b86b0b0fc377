"""CSV is read back as it was written, whatever the texts hold."""

import csv
import io

import pytest

from lm_eval_ext.analysis.tables import csv_text

pytestmark = pytest.mark.unit

TEXTS = ["plain", "a\rb", "a\nb", "a\r\nb", "\r", "x\r\n", 'say "hi", twice', "é ", ""]


def test_every_text_comes_back():
    text = csv_text([TEXTS, [1, 2.5, None, *TEXTS[3:]]])
    first, second = csv.reader(io.StringIO(text, newline=""))
    assert first == ["'\r" if cell == "\r" else cell for cell in TEXTS]  # no formula, see `safe`
    assert second[:3] == ["1", "2.5", ""]
    assert '"a\rb"' in text and text.endswith("\n") and not text.endswith("\r\n")
