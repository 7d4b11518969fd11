"""The first start of the scaled form, and the settings that name its servers."""

import json
import re

import pytest

from huaxiang import airflow_home, scaled
from huaxiang.errors import BadConfiguration
from huaxiang.settings import load_settings


def test_every_secret_is_a_file_of_mode_600_in_a_folder_of_mode_700(tmp_path):
    folder = tmp_path / "secrets"
    made = scaled.make_secrets(folder)
    assert sorted(made) == sorted(path.name for path in folder.iterdir())
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}


def test_no_two_passwords_are_alike_and_none_is_a_default(tmp_path):
    scaled.make_secrets(tmp_path / "one")
    scaled.make_secrets(tmp_path / "two")
    words = [
        word for path in tmp_path.rglob("*") if path.is_file() for word in re.findall("[0-9a-f]{64}", path.read_text())
    ]
    assert len(words) == len(set(words)) == 14  # seven of 256 bits each in either folder


def test_a_second_start_keeps_every_secret(tmp_path):
    scaled.make_secrets(tmp_path)
    before = {path.name: path.read_text() for path in tmp_path.iterdir()}
    assert scaled.make_secrets(tmp_path) == []
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == before


def test_the_password_files_are_of_the_form_that_postgres_clients_read(tmp_path):
    scaled.make_secrets(tmp_path)
    for name in ("airflow", "mlflow"):
        assert re.fullmatch(rf"\*:\*:{name}:{name}:[0-9a-f]{{64}}\n", (tmp_path / f"{name}_pgpass").read_text())
    assert list(json.loads((tmp_path / "web_passwords.json").read_text())) == ["admin"]


def test_the_spark_cluster_asks_for_its_secret_and_encrypts(tmp_path):
    scaled.make_secrets(tmp_path)
    said = dict(line.split(maxsplit=1) for line in (tmp_path / "spark-defaults.conf").read_text().splitlines())
    assert len(said.pop("spark.authenticate.secret")) == 64
    assert said == {
        "spark.authenticate": "true",
        "spark.network.crypto.enabled": "true",
        "spark.acls.enable": "true",
        "spark.master.rest.enabled": "false",
        "spark.executor.memory": "1g",
    }


def test_the_first_start_prints_no_secret(tmp_path, capsys):
    assert scaled.main(tmp_path) == 0
    assert not re.search("[0-9a-f]{64}", capsys.readouterr().out)
    assert re.search(r"^HUAXIANG_UID=[1-9]\d*$", (tmp_path / ".env").read_text(), re.MULTILINE)  # never root
    assert {path.name for path in (tmp_path / "var" / "scaled").iterdir()} == set(scaled.FOLDERS)


def test_without_servers_everything_is_in_the_home(settings):
    assert settings.mlflow_uri == f"sqlite:///{settings.home.root}/mlflow.db"
    said = airflow_home.environment(settings)
    assert said["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"] == f"sqlite:///{settings.home.airflow}/airflow.db?timeout=90"
    assert said["AIRFLOW__API__HOST"] == "127.0.0.1"


def test_the_servers_that_the_environment_names_are_used(monkeypatch, tmp_path):
    monkeypatch.setenv("HUAXIANG_AIRFLOW_DB", "postgresql+psycopg2://airflow@db/airflow")
    monkeypatch.setenv("HUAXIANG_MLFLOW_URI", "http://mlflow:5000")
    monkeypatch.setenv("HUAXIANG_KEYS_DIR", str(tmp_path))
    settings = load_settings()
    assert settings.mlflow_uri == "http://mlflow:5000"
    said = airflow_home.environment(settings)
    assert said["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"] == "postgresql+psycopg2://airflow@db/airflow"
    assert said["AIRFLOW__CORE__FERNET_KEY_CMD"] == f"cat {tmp_path}/fernet_key"
    assert said["AIRFLOW__API__EXPOSE_CONFIG"] == "False"


@pytest.mark.parametrize(
    ("name", "address", "reason"),
    [
        (
            "HUAXIANG_AIRFLOW_DB",
            "postgresql+psycopg2://airflow:hunter2@db/airflow",
            "HUAXIANG_AIRFLOW_DB holds a password",
        ),
        ("HUAXIANG_MLFLOW_URI", "http://someone:hunter2@mlflow:5000", "HUAXIANG_MLFLOW_URI holds a password"),
        ("HUAXIANG_MLFLOW_URI", "sqlite:///mlflow.db", "HUAXIANG_MLFLOW_URI is not an http address"),
    ],
)
def test_an_address_that_cannot_be_used_is_refused_without_showing_it(monkeypatch, name, address, reason):
    monkeypatch.setenv(name, address)
    with pytest.raises(BadConfiguration, match=reason) as caught:
        load_settings()
    assert "hunter2" not in str(caught.value)
