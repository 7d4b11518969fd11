import socket

import pytest

from huaxiang import cli, ports
from huaxiang.errors import BadConfiguration


@pytest.fixture(autouse=True)
def no_ports_from_outside(monkeypatch):
    for variable in ports.VARIABLES.values():
        monkeypatch.delenv(variable, raising=False)


def test_a_service_listens_where_its_variable_says_else_on_its_usual_port(monkeypatch):
    monkeypatch.setenv("HUAXIANG_PORT_MLFLOW", "5001")
    assert ports.ports() == {"Airflow": 8080, "MLflow": 5001, "the report site": 8088}
    assert ports.url(ports.MLFLOW) == "http://127.0.0.1:5001"


@pytest.mark.parametrize("said", ["http", "0", "65536", "-1", "80 80", "٣٠٠٠"])
def test_what_is_no_port_is_named_with_its_variable(monkeypatch, said):
    monkeypatch.setenv("HUAXIANG_PORT_SITE", said)
    with pytest.raises(BadConfiguration, match=r"HUAXIANG_PORT_SITE is '.*': set it to a port from 1 to 65535"):
        ports.ports()


def test_two_services_cannot_share_a_port(monkeypatch):
    monkeypatch.setenv("HUAXIANG_PORT_SITE", "8080")
    with pytest.raises(BadConfiguration, match="HUAXIANG_PORT_SITE is 8080, which another service has"):
        ports.ports()


def test_a_port_in_use_is_said_in_one_sentence_before_anything_is_started(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("HUAXIANG_HOME", str(tmp_path / "home"))
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        number = taken.getsockname()[1]
        monkeypatch.setenv("HUAXIANG_PORT_AIRFLOW", str(number))
        assert cli.main(["up"]) == 1
    error = capsys.readouterr().err
    assert error == (
        f"up: port {number} is in use; Airflow needs it: end the program that listens there ('ss -ltnp' names it), "
        "or choose another port with HUAXIANG_PORT_AIRFLOW; nothing was started\n"
    )
    assert not (tmp_path / "home" / "airflow").exists()


def test_down_is_harmless_when_nothing_is_up(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("HUAXIANG_HOME", str(tmp_path / "home"))
    assert cli.main(["down"]) == 0
    assert capsys.readouterr().out == "down       nothing was up\n"
