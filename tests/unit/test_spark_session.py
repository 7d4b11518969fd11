import pytest

from huaxiang.errors import HuaxiangError
from spark_jobs.session import session


def test_without_java_the_error_names_the_command_that_installs_it(monkeypatch, tmp_path):
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "no-java-here"))
    with pytest.raises(HuaxiangError, match="apt-get install openjdk-17-jre-headless"):
        session(tmp_path, tmp_path / "spark.log")
