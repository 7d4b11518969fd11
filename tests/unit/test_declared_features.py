"""Declarations are read and checked before anything runs; a broken one is named with file, line and mend."""

import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from huaxiang.errors import BadConfiguration
from huaxiang.features import columns, load_features, plan
from huaxiang.settings import Settings
from tests.unit.test_portable_sql import findings

GOOD = """name: tea_spend
description: Spent on tea.
owner: insights
declared_on: 2026-11-28
event: order_lines
where: category = 'TEA'
aggregation: sum
column: net_amount
windows: [28, 91]
"""


@pytest.fixture
def project(settings: Settings, tmp_path: Path) -> Settings:
    """A project with its models but without declarations, which a test writes."""
    shutil.copytree(settings.project / "dbt_project" / "models", tmp_path / "project" / "dbt_project" / "models")
    (tmp_path / "project" / "features").mkdir()
    return replace(settings, project=tmp_path / "project")


def write(project: Settings, text: str, name: str = "tea_spend") -> None:
    (project.project / "features" / f"{name}.yml").write_text(text)


def test_the_features_of_the_project_can_be_used(settings: Settings) -> None:
    features = load_features(settings)
    assert len(columns(settings)) >= 60
    assert [feature.name for feature in features] == sorted(feature.name for feature in features)
    assert all(findings(feature.where) == [] for feature in features)


def test_a_feature_has_a_column_per_window_with_the_type_and_needs_of_what_it_reads(project: Settings) -> None:
    write(project, GOOD.replace("[28, 91]", "[28, all]"))
    (feature,) = load_features(project)
    assert feature.columns == {28: "tea_spend_28d", None: "tea_spend"}
    assert (feature.type, feature.fill) == ("decimal(18,2)", 0)
    assert feature.needs == ("order_lines", "products.category")


@pytest.mark.parametrize(
    ("before", "after", "line", "said"),
    [
        ("event: order_lines", "event: order_line", 5, "'event' 'order_line' is unknown; use order_lines, orders"),
        ("column: net_amount", "column: amount", 8, "'column' 'amount' is unknown; use order_id"),
        ("aggregation: sum", "aggregation: total", 7, "'aggregation' 'total' is unknown; use count"),
        ("column: net_amount", "column: category", 8, "'column' 'category' is text, and a sum takes bigint, decimal"),
        ("column: net_amount\n", "", 7, "'aggregation' 'sum' needs a column"),
        ("aggregation: sum", "aggregation: days", 8, "'column' is not read by 'days'; leave it out"),
        ("[28, 91]", "[28, 0]", 9, "'windows.1' '0' is no window"),
        ("[28, 91]", "[28, 28]", 9, "'windows.1' '28' stands there twice"),
        ("[28, 91]", "monthly", 9, "'windows' is no list of days"),
        ("[28, 91]", "[28, 91]\nfill: 1", 10, "'fill' '1' is neither 0 nor null"),
        ("sum\ncolumn: net_amount", "last\ncolumn: category\nfill: 0", 9, "'fill' 0 is no text; write null"),
        ("= 'TEA'", "= 'TEA", 6, "'where' .*not SQL"),
        ("category = 'TEA'", "categori = 'TEA'", 6, "'where' reads 'categori', which is no column of order_lines"),
        ("category = 'TEA'", "category", 6, "'where' gives text, not yes or no"),
        ("category = 'TEA'", "count(*) > 1", 6, "'where' .*GROUP BY"),
        ("category = 'TEA'", "weekday > random()", 6, "'where' uses random"),
        ("category = 'TEA'", "quantity > (select 1)", 6, "'where' uses a subquery"),
        ("where: category = 'TEA'\naggregation: sum", "aggregation: share", 6, "'aggregation' 'share' needs 'where'"),
        ("owner: insights\n", "", 1, "'owner' is missing"),
        ("owner: insights", "owner: insights\ncolour: red", 4, "'colour' is not a key of a feature"),
        ("name: tea_spend", "name: tee_spend", 1, "'name' is 'tee_spend', but the file is tea_spend.yml"),
        ("declared_on: 2026-11-28", "declared_on: today", 4, "'declared_on' is not a day"),
        ("event: order_lines", "entity: store\nevent: order_lines", 5, "'entity' 'store' is unknown; use customer"),
    ],
)
def test_a_broken_declaration_is_named_with_line_and_mend(
    project: Settings, before: str, after: str, line: int, said: str
) -> None:
    assert before in GOOD
    write(project, GOOD.replace(before, after))
    with pytest.raises(BadConfiguration, match=rf"tea_spend\.yml:{line}: {said}"):
        load_features(project)


def test_two_features_cannot_give_one_column(project: Settings) -> None:
    write(project, GOOD)
    write(project, GOOD.replace("tea_spend", "tea_spend_28d").replace("[28, 91]", "all"), "tea_spend_28d")
    with pytest.raises(BadConfiguration, match=r"tea_spend_28d\.yml:9: .*'tea_spend_28d', which tea_spend.yml has"):
        load_features(project)


def test_a_feature_cannot_take_the_name_of_a_profile_column(project: Settings) -> None:
    write(project, GOOD.replace("tea_spend", "net_spend"), "net_spend")
    with pytest.raises(BadConfiguration, match=r"'net_spend_28d', which customer_profiles has already"):
        load_features(project)


def test_what_several_features_need_is_kept_once(project: Settings) -> None:
    """A sum and a mean of the same lines: one sum and one count a day."""
    write(project, GOOD)
    write(project, GOOD.replace("tea_spend", "tea_mean").replace("sum", "mean"), "tea_mean")
    planned = plan(load_features(project))
    assert [measure["sql"] for measure in planned["measures"]] == [
        "sum(case when (category = 'TEA') then net_amount end)",
        "nullif(count(case when (category = 'TEA') then net_amount end), 0)",
    ]
    assert planned["bands"] == [28, 91]
    assert [column["name"] for column in planned["columns"]] == [
        "tea_mean_28d", "tea_mean_91d", "tea_spend_28d", "tea_spend_91d",
    ]  # fmt: skip


def test_different_values_are_counted_in_one_pass_for_all_windows(project: Settings) -> None:
    text = GOOD.replace("aggregation: sum\ncolumn: net_amount", "aggregation: count_distinct\ncolumn: product_id")
    write(project, re.sub("tea_spend", "teas", text), "teas")
    (group,) = plan(load_features(project))["sets"]
    assert (group["column"], group["last"], group["days"]) == ("product_id", ["category = 'TEA'"], 91)


def test_without_declarations_there_is_nothing_to_plan(project: Settings) -> None:
    assert plan(load_features(project)) == {"events": [], "bands": [], "measures": [], "sets": [], "columns": []}
