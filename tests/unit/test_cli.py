import subprocess
import sys

import pytest

from huaxiang import cli


def run(*words, **environment):
    return cli.main(list(words))


def test_a_word_before_its_run_has_begun_ends_with_the_next_step(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("HUAXIANG_HOME", str(tmp_path))
    assert run("staging", "--as-of", "2017-01-02") == 1
    assert capsys.readouterr().err == (
        "staging: run 2017-01-02 has not begun: run 'huaxiang landing --as-of 2017-01-02' first\n"
    )


def test_a_day_that_is_no_day_is_refused(capsys):
    with pytest.raises(SystemExit):
        run("landing", "--as-of", "30.11.2017")
    assert "'30.11.2017' is not a day; write it as 2017-11-30" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("name: x\nsources: [a]\ntime_zone: Mars/Base\n", "time_zone 'Mars/Base' is not an IANA zone"),
        ("name: x\nsources: [a]\n", "'time_zone' is missing"),
        ("name: x\nsource: [a]\ntime_zone: UTC\n", "unknown key 'source'"),
        ("name: x\nsources: [a]\ntime_zone: UTC\nlast_day: soon\n", "last_day 'soon' is not a day"),
        ("name: x\nsources: [a]\ntime_zone: UTC\nengine: flink\n", "engine 'flink' is not known; use duckdb or spark"),
        ("name: x\nsources: [a]\ntime_zone: UTC\nleast_margin_share: 10 %\n", "write 10 % as 0.1"),
        ("- a\n", "must be a mapping"),
        ("name: [\n", "not valid YAML"),
    ],
)
def test_broken_settings_are_said_in_one_sentence(tmp_path, monkeypatch, capsys, content, said):
    config = tmp_path / "huaxiang.yml"
    config.write_text(content)
    monkeypatch.setenv("HUAXIANG_CONFIG", str(config))
    assert run("landing", "--as-of", "2017-01-02") == 1
    error = capsys.readouterr().err
    assert said in error and str(config) in error and "Traceback" not in error


def test_the_environment_names_the_engine_before_the_file_does(monkeypatch):
    from huaxiang.settings import load_settings

    assert load_settings().engine == "duckdb"
    monkeypatch.setenv("HUAXIANG_ENGINE", "spark")
    assert load_settings().engine == "spark"


def test_the_command_line_imports_no_engine():
    heavy = "pyspark mlflow great_expectations dbt pandas sklearn duckdb yaml"
    code = f"import sys, huaxiang.cli; print([name for name in '{heavy}'.split() if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "[]"


@pytest.mark.parametrize("word", ["landing", "run", "train"])
def test_a_day_after_the_homes_data_is_skipped_and_begins_nothing(tmp_path, monkeypatch, capsys, word):
    monkeypatch.setenv("HUAXIANG_HOME", str(tmp_path / "home"))
    assert run(word, "--as-of", "2018-01-01") == cli.NOTHING_DUE
    assert "2018-01-01 lies after 2017-12-31, the last day of this home's data" in capsys.readouterr().err
    assert not (tmp_path / "home").exists()
