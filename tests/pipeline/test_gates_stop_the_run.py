"""Each gate stops the real run: the corner shop has a released day, then the next one goes wrong."""

import json
import shutil

import pytest

from tests.gates.homes import change
from tests.pipeline.conftest import home_at, run_words
from tests.pipeline.released_shop import MONDAY

pytestmark = [pytest.mark.dbt, pytest.mark.slow]

CANARY = "canary-7391"


@pytest.fixture(scope="module")
def computed(released, tmp_path_factory):
    """The shop on Monday, all but its portraits made."""
    folder = shutil.copytree(released, tmp_path_factory.mktemp("monday") / "copy")
    with home_at(folder / "home", folder / "shop" / "huaxiang.yml"):
        assert run_words(MONDAY, words=("landing", "staging", "features", "models")) == 0
    return folder


@pytest.fixture
def monday(computed, tmp_path):
    """A copy of it for one test to spoil."""
    folder = shutil.copytree(computed, tmp_path / "copy")
    with home_at(folder / "home", folder / "shop" / "huaxiang.yml"):
        yield folder


def failed_checks(folder, suite):
    said = json.loads((folder / "home" / "build" / MONDAY / "gates" / f"{suite}.json").read_text(encoding="utf-8"))
    assert said["passed"] is False
    return {check["name"] for check in said["checks"] if not check["passed"] and check["severity"] == "critical"}


def written(folder):
    """Everything that the gates, and the steps around them, have told about the day."""
    files = [path for path in (folder / "home" / "build" / MONDAY).rglob("*") if path.is_file()]
    return b"".join(path.read_bytes() for path in files)


def test_a_drop_of_which_nothing_is_usable_stops_the_run_at_landing(shop, capsys):
    current = (shop / "home" / "CURRENT").read_bytes()
    drop = shop / "shop" / "drops" / "corner_shop" / "20240422" / "bons.csv"
    header = drop.read_bytes().split(b"\n")[0]
    record = f"901;%d;22.04.2024;08:00;Köln;1001;{CANARY};zwei;1,00;-;1,00\r".encode("cp1252")
    drop.write_bytes(b"\n".join([header, *(record % number for number in range(1, 13)), b""]))

    code = run_words(MONDAY)

    said = capsys.readouterr().err
    assert code == 1
    assert (shop / "home" / "CURRENT").read_bytes() == current
    assert failed_checks(shop, "landing") == {"newest_drop_has_rows", "most_records_are_accepted"}
    assert "newest_drop_has_rows: 0 of 12 records accepted on 2024-04-22" in said
    assert "12 of 12 records refused (100.00 %), failing rows: 12, to be found in quarantine/corner_shop/" in said
    assert "The released portrait stays as it was." in said and "Next: " in said
    assert CANARY not in said and CANARY.encode() not in written(shop)


def test_after_a_stop_at_landing_the_day_cannot_be_released(shop):
    current = (shop / "home" / "CURRENT").read_bytes()
    (shop / "shop" / "drops" / "corner_shop" / "20240422" / "bons.csv").write_bytes(b"Bon-Nr;Pos\r\n1;1\r\n")

    assert run_words(MONDAY, words=("landing",)) == 1
    assert run_words(MONDAY, words=("release",)) == 1
    assert (shop / "home" / "CURRENT").read_bytes() == current


def test_portraits_that_differ_from_the_landed_money_stop_the_run_at_profiles(monday, capsys):
    current = (monday / "home" / "CURRENT").read_bytes()
    # A landed row changes after staging has read it: the portraits no longer agree with what the home holds.
    landed = sorted((monday / "home" / "landing" / "corner_shop" / "order_lines" / "load_date=2024-02-26").glob("*"))[0]
    change(landed, "select * replace (net_amount + 0.01 as net_amount) from rows")

    code = run_words(MONDAY, words=("profiles", "report", "release"))

    said = capsys.readouterr().err
    assert code == 1
    assert (monday / "home" / "CURRENT").read_bytes() == current
    assert failed_checks(monday, "profiles") == {"portraits_hold_all_the_money"}
    assert "portraits_hold_all_the_money: spend " in said and "profiles/customer_profiles.parquet" in said
    assert run_words(MONDAY, words=("release",)) == 1
    assert (monday / "home" / "CURRENT").read_bytes() == current


def test_landed_rows_that_vanish_after_landing_stop_the_run_at_staging(shop, capsys):
    current = (shop / "home" / "CURRENT").read_bytes()
    assert run_words(MONDAY, words=("landing",)) == 0
    shutil.rmtree(shop / "home" / "landing" / "corner_shop" / "order_lines" / "load_date=2023-04-23")

    code = run_words(MONDAY, words=("staging", "features", "models", "profiles", "report", "release"))

    said = capsys.readouterr().err
    assert code == 1
    assert (shop / "home" / "CURRENT").read_bytes() == current
    assert "gone, or not as it was written" in said


def test_landed_rows_that_vanish_after_staging_stop_the_run_at_profiles(monday, capsys):
    current = (monday / "home" / "CURRENT").read_bytes()
    shutil.rmtree(monday / "home" / "landing" / "corner_shop" / "order_lines" / "load_date=2023-04-23")

    code = run_words(MONDAY, words=("profiles", "report", "release"))

    said = capsys.readouterr().err
    assert code == 1
    assert (monday / "home" / "CURRENT").read_bytes() == current
    assert "landed_lines_are_all_there" in failed_checks(monday, "profiles")
    assert "landed_lines_are_all_there: " in said and "to be found in landing/*/order_lines" in said


def test_the_same_day_goes_through_when_nothing_is_wrong(monday):
    assert run_words(MONDAY, words=("profiles", "report", "release")) == 0
    assert (monday / "home" / "CURRENT").read_text(encoding="utf-8").startswith(MONDAY)
