"""Great Expectations on DuckDB: the repair, the pinned version and what is kept out."""

from __future__ import annotations

import sys
from importlib.metadata import version

import pytest

from expectations.checks import suite_of, words
from expectations.duckdb_engine import import_great_expectations, opened, repair
from expectations.runner import checked
from huaxiang.settings import PROJECT

pytestmark = pytest.mark.slow

SAID = {
    "kind": "completeness",
    "view": "people",
    "table": "people",
    "expected": "no empty value",
    "description": "Names are read.",
    "next_step": "look",
    "where": "people.parquet",
}


def never_empty(name: str, column: str = "name"):
    import_great_expectations()
    import great_expectations.expectations as gxe

    return gxe.ExpectColumnValuesToNotBeNull(column=column, severity="critical", meta=words(name=name, **SAID))


def result_of_one_check():
    with opened() as database:
        database.run("create view people as select * from (values ('a'), (null)) as people (name)")
        [found] = checked(database, suite_of("people", [never_empty("name_is_never_empty")]))
    return found


def test_the_version_that_is_repaired_is_the_one_that_is_pinned():
    assert "great-expectations==1.24.1" in (PROJECT / "requirements" / "work.lock").read_text()
    assert version("great-expectations") == "1.24.1"


def test_with_the_repair_rows_are_counted_on_duckdb():
    found = result_of_one_check()
    assert (found.passed, found.observed, found.failing_rows) == (False, "1 of 2 rows break it", 1)


def test_without_the_repair_nothing_can_be_checked(monkeypatch):
    """When this fails, a newer Great Expectations fetches in time: the repair can go."""
    import_great_expectations()
    from great_expectations.execution_engine import sqlalchemy_execution_engine as engine

    kept = tuple(dialect for dialect in engine._PERSISTED_CONNECTION_DIALECTS if dialect.value != "duckdb")
    monkeypatch.setattr(engine, "_PERSISTED_CONNECTION_DIALECTS", kept)
    monkeypatch.setattr("expectations.duckdb_engine.repair", lambda module: None)

    assert result_of_one_check().observed.startswith("could not be checked")


def test_the_repair_made_twice_changes_nothing_more():
    import_great_expectations()
    from great_expectations.execution_engine import sqlalchemy_execution_engine as engine

    before = engine._PERSISTED_CONNECTION_DIALECTS
    repair(engine)
    assert before == engine._PERSISTED_CONNECTION_DIALECTS


def test_the_import_leaves_spark_importable():
    import_great_expectations()
    import pyspark

    assert pyspark is sys.modules["pyspark"]


def test_a_check_that_would_be_dropped_as_a_repetition_is_an_error():
    with pytest.raises(ValueError, match="2 checks written, 1 remain"):
        suite_of("people", [never_empty("same"), never_empty("same")])


def test_two_databases_do_not_see_each_other():
    with opened() as first, opened() as second:
        first.run("create table only_here (x int)")
        assert first.columns("only_here") == ("x",) and second.columns("only_here") == ()
