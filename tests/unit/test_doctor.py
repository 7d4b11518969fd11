import socket
import subprocess
import sys
from pathlib import Path

import pytest

from huaxiang import doctor

ROOT = Path(__file__).resolve().parents[2]


def says(version):
    return lambda *_, **__: subprocess.CompletedProcess([], 0, stdout="", stderr=f'openjdk version "{version}"')


def test_java_17_will_do(monkeypatch):
    monkeypatch.delenv("JAVA_HOME", raising=False)
    assert doctor.java(run=says("17.0.15")).is_ok


@pytest.mark.parametrize("version", ["11.0.2", "1.8.0_292"])
def test_an_old_java_is_named_with_the_command_to_install_a_newer_one(monkeypatch, version):
    monkeypatch.delenv("JAVA_HOME", raising=False)
    finding = doctor.java(run=says(version))
    assert not finding.is_ok
    assert "apt-get install openjdk-17-jre-headless" in finding.next_step


def test_no_java_is_said_in_one_sentence(monkeypatch):
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", "")
    assert str(doctor.java()).startswith("PROBLEM Java     no 'java' on the PATH; Java 17 is needed: install it with")


def test_a_port_in_use_is_named():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        number = taken.getsockname()[1]
        finding = doctor.port("Airflow", number)
    assert not finding.is_ok
    assert (
        str(number) in finding.found
        and "Airflow needs it" in finding.next_step
        and "HUAXIANG_PORT_AIRFLOW" in finding.next_step
    )
    assert doctor.port("Airflow", number).is_ok


def test_the_doctor_needs_nothing_installed():
    """Set-up asks the doctor before there is any package, so it must run on the bare standard library."""
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", f"import sys; sys.path[:0] = ['{ROOT}/src']; import huaxiang.doctor"],
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
