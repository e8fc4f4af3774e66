"""An engine that cannot run is a skip on a developer's machine, and a failure where every engine is asked for."""

import pytest

from infra import ROOT
from tests.engines.fixtures import REQUIRE_ENGINES, do_without
from tests.engines.npm import Unavailable

MISSING = Unavailable("there is no java on the PATH")


def test_a_machine_without_java_skips_and_says_why() -> None:
    with pytest.raises(pytest.skip.Exception, match="no java on the PATH"):
        do_without(MISSING, required=False)


def test_ci_loses_no_engine_in_silence() -> None:
    with pytest.raises(pytest.fail.Exception, match=r"no java on the PATH.*asks for every engine"):
        do_without(MISSING, required=True)
    assert f"export {REQUIRE_ENGINES}=1\n" in (ROOT / ".ci" / "run").read_text()
