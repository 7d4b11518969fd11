import errno
import os

import pytest

from huaxiang import cli, disk, failpoints
from huaxiang.errors import HuaxiangError


def full() -> OSError:
    return OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_full_disk_is_recognised_behind_other_errors():
    try:
        try:
            raise full()
        except OSError as error:
            raise HuaxiangError("dbt model x: failed") from error
    except HuaxiangError as error:
        assert disk.is_full(error)
    assert disk.is_full(RuntimeError("(sqlite3.OperationalError) database or disk is full"))
    assert not disk.is_full(OSError(errno.EACCES, "not allowed"))


def test_the_error_says_how_much_is_needed_and_what_is_served(settings):
    home = settings.home
    for name, size in (("releases/2017-01-01-aa/x", 3_000_000), ("warehouse/huaxiang.duckdb", 5_000_000)):
        (home.root / name).parent.mkdir(parents=True)
        (home.root / name).write_bytes(bytes(size))
    home.current.write_text("2017-01-01-aa\n")
    said = str(disk.explained(home, "landing --as-of 2017-01-02"))
    assert "needs about 26 MB" in said and "2017-01-01-aa stays released" in said
    assert "'huaxiang landing --as-of 2017-01-02' again" in said


@pytest.fixture
def writes_fail():
    failpoints.arm("files.write:raise")
    yield
    failpoints.arm(None)


def test_a_command_on_a_full_disk_ends_with_one_sentence(tmp_path, monkeypatch, capsys, writes_fail):
    monkeypatch.setenv("HUAXIANG_HOME", str(tmp_path / "home"))
    assert cli.main(["landing", "--as-of", "2017-01-02"]) == 1
    error = capsys.readouterr().err
    assert error.startswith("landing: the disk of ") and error.count("\n") == 1
