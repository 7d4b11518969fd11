"""Tags are read and checked before anything runs; a broken one is named with file, key and next step."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from huaxiang.errors import BadConfiguration
from huaxiang.settings import Settings
from huaxiang.tags import load_tags

GOOD = """
name: often
title: Often
description: Comes often.
tree: behaviour/rhythm
kind: rule
value: case when order_count_28d >= 4 then 'yes' end
evidence: "'orders in 28 days: ' || cast(order_count_28d as string)"
owner: campaigns
purpose: see how customers shop
personal_data: pseudonymous
version: 1
ttl_days: 7
"""


@pytest.fixture
def project(settings: Settings, tmp_path: Path) -> Settings:
    """A project with contracts and models but one tag only, which a test writes."""
    for folder in ("contracts", "dbt_project"):
        shutil.copytree(settings.project / folder, tmp_path / "project" / folder)
    (tmp_path / "project" / "tags").mkdir()
    return replace(settings, project=tmp_path / "project")


def write(project: Settings, text: str, name: str = "often") -> None:
    (project.tags_dir / f"{name}.yml").write_text(text)


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
