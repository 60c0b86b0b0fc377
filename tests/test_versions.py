from importlib import metadata

import pytest

from lm_eval_ext.versions import version_of, versions_of

pytestmark = pytest.mark.unit


def test_a_package_that_is_not_installed_has_no_version():
    assert version_of("lm_eval") == metadata.version("lm_eval")
    assert version_of("no-such-package") is None
    assert versions_of(["sympy", "no-such-package"]) == {"sympy": metadata.version("sympy")}
