"""Tags are read and checked before anything runs; a broken one is named with file, key and next step."""

from pathlib import Path

import duckdb
import pytest

from huaxiang.errors import BadConfiguration
from huaxiang.settings import Settings
from huaxiang.tags import load_tags
from huaxiang.tags.compiling import manual_rows, tag_rows
from huaxiang.tags.order import in_reading_order
from huaxiang.tags.use import users
from tests.unit.tag_files import GOOD, bare_project, tag_text, write


@pytest.fixture
def project(settings: Settings, tmp_path: Path) -> Settings:
    return bare_project(settings, tmp_path)


def test_the_tags_of_the_project_can_be_used(settings: Settings) -> None:
    tags = load_tags(settings)
    assert len(tags) >= 18
    assert {tag.kind for tag in tags} >= {"fact", "rule", "model"}
    assert [tag.name for tag in tags] == sorted(tag.name for tag in tags)


def test_a_tag_is_sure_and_needs_nothing_unless_it_says_so(project: Settings) -> None:
    write(project, GOOD)
    (tag,) = load_tags(project)
    assert (tag.confidence, tag.needs) == ("1.0", ())


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("kind: rule", "kind: guess", "'kind' 'guess' is unknown; use fact, rule, model, manual"),
        ("title: Often\n", "", "'title' is missing"),
        ("owner: campaigns\n", "", "'owner' is missing"),
        ("tree: behaviour/rhythm", "tree: weather/rain", ":5: 'tree' 'weather/rain' is no place in the tree"),
        ("personal_data: pseudo", "personal_data: secret, pseudo", "'personal_data' .* is unknown; use none"),
        ("version: 1", "version: '1'", "'version' is missing or not a whole number"),
        ("ttl_days: 7", "ttl_days: 0", "'ttl_days' is missing or not a whole number"),
        ("ttl_days: 7", "ttl_days: 7\nvalues: [yes]", "'values.0' is not a text; put it in quotes"),
        ("ttl_days: 7", "ttl_days: 7\nvalues: [a, a]", "'values.1' 'a' stands there twice"),
        ("ttl_days: 7", "ttl_days: 7\nis_exhaustive: often", "'is_exhaustive' is neither true nor false"),
        ("ttl_days: 7", "ttl_days: 7\nretired_on: soon", "'retired_on' is not a day"),
        ("ttl_days: 7", "ttl_days: 7\nreads: [nobody]", "'reads.0' 'nobody' is no tag"),
        ("ttl_days: 7", "ttl_days: 7\ntests: [{given: {a: 1}}]", "'tests.0' is not an example of the tag"),
        ("order_count_28d >= 4", "first_order_on >= 4", "'value' .*Cannot compare"),
        ("kind: rule", "kind: manual", ":7: 'value' has no place in a manual tag"),
        ("name: often", "name: seldom", "'name' is 'seldom', but the file is often.yml"),
        ("kind: rule", "kind: rule\ncolour: red", "'colour' is not a key of a tag"),
        ("order_count_28d >= 4", "order_kount >= 4", "'value' .*order_kount.*; correct the SQL"),
        ("order_count_28d >= 4 then", "order_count_28d >= 4", "'value' .*syntax error"),
        ("order_count_28d >= 4", "count(*) >= 4", "'value' .*GROUP BY"),
        ("cast(order_count_28d as string)", "cast(nobody as string)", "'evidence' .*nobody"),
        ("kind: rule", "kind: rule\nconfidence: surely", "'confidence' .*surely"),
        ("kind: rule", "kind: rule\nneeds: products", "'needs' is not a list"),
        ("kind: rule", "kind: rule\nneeds: [producs]", "'needs.0' 'producs' is no canonical table"),
        ("order_count_28d >= 4", "age_band = '65+'", "'value' reads a column the tag's needs do not name: .*age_band"),
        ("value: case", "value: 'x', case", "not valid YAML"),
        ("kind: rule", "kind: model", "'judged_by' is missing: what a model says stands beside a baseline"),
        ("case when order_count_28d >= 4 then 'yes' end", "\"'x' as string), cast('y'\"", "'value' is more than one"),
    ],
)
def test_a_broken_tag_is_named_with_key_and_next_step(project: Settings, before: str, after: str, said: str) -> None:
    assert before in GOOD
    write(project, GOOD.replace(before, after))
    with pytest.raises(BadConfiguration, match=rf"often\.yml.*{said}"):
        load_tags(project)


def test_a_column_can_be_used_when_its_needs_are_named(project: Settings) -> None:
    write(project, GOOD.replace("order_count_28d >= 4", "age_band = '65+'") + "needs: [customers.age_band]\n")
    assert load_tags(project)[0].needs == ("customers.age_band",)


@pytest.mark.parametrize(
    ("kind", "said", "reason"),
    [
        ("rule", "churn_28d.auc", "has its place in a tag of kind model alone"),
        ("model", "churn_28d", "is not <model>.<measure>"),
        ("model", "churn 28d.auc", "is not <model>.<measure>"),
        ("model", "[churn_28d]", "is not <model>.<measure>"),
    ],
)
def test_what_a_model_is_judged_by_is_a_model_and_a_measure(
    project: Settings, kind: str, said: str, reason: str
) -> None:
    write(project, GOOD.replace("kind: rule", f"kind: {kind}\njudged_by: {said}"))
    with pytest.raises(BadConfiguration, match=f"often.yml:7: 'judged_by' {reason}"):
        load_tags(project)


def test_a_tag_comes_after_those_it_reads_and_needs_what_they_need(project: Settings) -> None:
    write(project, tag_text("a", "case when tag_b = 'yes' then tag_c end", "reads: [b, c]\n"), "a")
    write(project, tag_text("b", "case when tag_c is not null then 'yes' end", "reads: [c]\n"), "b")
    write(project, tag_text("c", "age_band", "needs: [customers.age_band]\n"), "c")
    tags = load_tags(project)
    assert [tag.name for tag in in_reading_order(tags)] == ["c", "b", "a"]
    assert [tag.needs for tag in tags] == [("customers.age_band",)] * 3


def test_tags_that_read_each_other_in_a_circle_are_refused_with_the_circle(project: Settings) -> None:
    write(project, tag_text("a", "tag_b", "reads: [b]\n"), "a")
    write(project, tag_text("b", "tag_c", "reads: [c]\n"), "b")
    write(project, tag_text("c", "tag_a", "reads:\n  - a\n"), "c")
    with pytest.raises(BadConfiguration, match=r"c\.yml:15: 'reads\.0' closes a circle: a -> b -> c -> a; let one"):
        load_tags(project)


def test_a_tag_cannot_read_one_without_naming_it_or_one_that_is_retired(project: Settings) -> None:
    write(project, tag_text("a", "tag_b"), "a")
    write(project, tag_text("b", "'yes'"), "b")
    with pytest.raises(BadConfiguration, match=r"tag_b.*not found"):
        load_tags(project)
    write(project, tag_text("a", "tag_b", "reads: [b]\n"), "a")
    write(project, tag_text("b", "'yes'", "retired_on: 2026-01-01\n"), "b")
    for reader in ("", "retired_on: 2026-01-02\n"):
        write(project, tag_text("a", "tag_b", "reads: [b]\n" + reader), "a")
        with pytest.raises(BadConfiguration, match="'b' is retired on 2026-01-01; retire this tag too"):
            load_tags(project)
    write(project, tag_text("a", "tag_b", "reads: [b]\nretired_on: 2026-01-01\n"), "a")
    assert len(load_tags(project)) == 2


@pytest.mark.parametrize(
    ("test", "said"),
    [
        ("{given: {order_count_28d: 3}, expect: 'yes'}", "tests.0' expects 'yes', but the rule says nothing"),
        ("{given: {order_count_28d: 4}, expect: null}", r"tests.0' expects nothing \(null\), but the rule says 'yes'"),
        ("{given: {orders: 4}, expect: 'yes'}", "tests.0.given.orders' is no column of a portrait"),
        ("{given: {order_count_28d: many}, expect: 'yes'}", "tests.0.given.order_count_28d' is no bigint"),
    ],
)
def test_a_tag_whose_own_test_does_not_hold_is_refused_with_its_line(project: Settings, test: str, said: str) -> None:
    write(project, GOOD + f"tests:\n  - {test}\n")
    with pytest.raises(BadConfiguration, match=rf"often\.yml:15: '{said}"):
        load_tags(project)


def test_a_tag_whose_own_tests_hold_is_taken(project: Settings) -> None:
    write(project, GOOD + "tests:\n  - {given: {order_count_28d: 4}, expect: 'yes'}\n  - {given: {}, expect: null}\n")
    assert [test.expect for test in load_tags(project)[0].tests] == ["yes", None]


def test_tags_that_read_others_are_computed_in_one_query(project: Settings) -> None:
    write(project, tag_text("calls", "case when tag_often = 'yes' then 'call' end", "reads: [often]\n"), "calls")
    write(project, GOOD)
    rows = tag_rows(load_tags(project), "people")
    with duckdb.connect() as connection:
        connection.execute(
            "create table people as select * from (values ('c1', date '2026-01-31', 4), ('c2', date '2026-01-31', 3))"
            " as people (customer_id, as_of, order_count_28d)"
        )
        found = connection.execute(f"select customer_id, tag, value from ({rows}) order by all").fetchall()
    assert found == [("c1", "calls", "call"), ("c1", "often", "yes"), ("c2", "calls", None), ("c2", "often", None)]


def test_no_tag_makes_no_rows() -> None:
    with duckdb.connect() as connection:
        connection.execute("create table people as select 'c1' as customer_id, date '2026-01-31' as as_of")
        assert connection.execute(tag_rows([], "people")).fetchall() == []


MANUAL = """name: {name}
title: A
description: A.
tree: social/care
kind: manual
{values}owner: service
purpose: greet
personal_data: personal
version: 1
ttl_days: 10
"""


def test_what_was_last_said_holds_for_the_time_to_live(project: Settings) -> None:
    write(project, MANUAL.format(name="care", values='values: ["yes"]\n'), "care")
    write(project, MANUAL.format(name="note", values=""), "note")
    said = [
        ("c1", "care", "2026-01-21", 10, "yes", "store 1", "asked for help"),
        ("c2", "note", "2026-01-30", 1, "moved", "store 1", None),
        # taken back; too long ago; outside the list; no manual tag; without a portrait
        ("c1", "note", "2026-01-23", 8, None, "store 1", None),
        ("c3", "note", "2026-01-20", 11, "moved", "store 1", None),
        ("c3", "care", "2026-01-30", 1, "perhaps", "store 1", None),
        ("c3", "other", "2026-01-30", 1, "yes", "store 1", None),
        ("c9", "care", "2026-01-30", 1, "yes", "store 1", None),
    ]
    with duckdb.connect() as connection:
        connection.execute(
            "create table people as select customer_id, date '2026-01-31' as as_of from (values ('c1'), ('c2'), ('c3'))"
            " as people (customer_id)"
        )
        connection.execute(
            "create table said (customer_id text, tag text, said_on date, age_days int, value text, said_by text,"
            " reason text)"
        )
        connection.executemany("insert into said values (?, ?, ?, ?, ?, ?, ?)", said)
        rows = manual_rows(load_tags(project), "people", "said")
        found = connection.execute(
            f"select customer_id, tag, value, evidence, source from ({rows}) where value is not null order by all"
        ).fetchall()
        assert connection.execute(manual_rows([], "people", "said")).fetchall() == []
    assert found == [
        ("c1", "care", "yes", "said by store 1 on 2026-01-21: asked for help", "manual"),
        ("c2", "note", "moved", "said by store 1 on 2026-01-30", "manual"),
    ]


def test_a_tag_is_used_by_tags_and_audiences_that_name_it(project: Settings) -> None:
    write(project, GOOD)
    write(project, tag_text("calls", "tag_often", "reads: [often]\n"), "calls")
    (project.project / "audiences").mkdir()
    who = "description: calls\nwho: {any: [{tag: often, is: 'yes'}, {all: [{feature: recency_days, above: 3}]}]}\n"
    (project.project / "audiences" / "callers.yml").write_text(who)
    assert users(project, load_tags(project)) == {"calls": (), "often": ("tag calls", "audience callers")}
