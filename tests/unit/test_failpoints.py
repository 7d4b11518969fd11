import re
import signal
import subprocess
import sys

import pytest

from huaxiang import failpoints
from huaxiang.errors import BadConfiguration
from huaxiang.settings import PROJECT


@pytest.fixture(autouse=True)
def disarmed():
    yield
    failpoints.arm(None)


def test_a_place_that_is_not_armed_does_nothing():
    failpoints.reach("files.write")


def test_a_write_fails_at_the_named_visit_and_from_then_on():
    failpoints.arm("files.write:raise@2")
    failpoints.reach("files.write")
    for _ in range(2):
        with pytest.raises(OSError, match="No space left"):
            failpoints.reach("files.write")


@pytest.mark.parametrize(("action", "code"), [("kill", -signal.SIGKILL), ("exit", 70)])
def test_the_environment_ends_the_process_at_the_place(action, code):
    program = "from huaxiang.failpoints import reach; reach('lease.begun'); reach('files.write'); print('still here')"
    environment = {failpoints.VARIABLE: f"files.write:{action}", "PYTHONPATH": str(PROJECT / "src")}
    ended = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, check=False)
    assert (ended.returncode, ended.stdout) == (code, b"")


@pytest.mark.parametrize("said", ["files.wriet:kill", "files.write:explode", "files.write", "files.write:kill@0"])
def test_what_is_not_known_is_an_error_and_not_a_test_that_never_fails(said):
    with pytest.raises(BadConfiguration, match=re.escape(said)):
        failpoints.arm(said)


def test_every_place_that_the_code_reaches_is_listed_and_every_listed_place_is_reached():
    code = "\n".join(path.read_text() for path in (PROJECT / "src").rglob("*.py"))
    reached = set(re.findall(r'reach\(f?"([^"]+)"\)', code)) - {"{layer}.before_table"}
    assert reached | {"features.before_table", "profiles.before_table"} == set(failpoints.NAMES)
