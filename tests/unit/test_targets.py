"""Targets are read from their files; what is wrong in one is said with file, line and mend."""

from pathlib import Path

import pytest

from huaxiang.declarations import read_declaration
from huaxiang.errors import BadConfiguration
from huaxiang.settings import load_settings
from huaxiang.targets import Event, Target, load_targets, read_target, target_names

GOOD = """\
name: buys_tea
title: Tea
sentence: Says how likely each customer is to buy tea in the next two weeks.
event: {kind: category, categories: [TEA]}
window_days: 14
baseline: {name: past_tea, column: category_order_count, says: orders with tea so far}
owner: categories
purpose: offer tea
"""


def read(folder: Path, text: str) -> Target:
    path = folder / "buys_tea.yml"
    path.write_text(text)
    return read_target(read_declaration(path, "a target"))


def test_a_target_says_what_is_foretold_of_whom_and_what_has_to_be_beaten(tmp_path):
    found = read(tmp_path, GOOD)
    assert (found.name, found.window_days) == ("buys_tea", 14)
    assert found.event == Event("category", names=("TEA",))
    assert found.baseline.column == "category_order_count"
    assert not found.is_by_category


@pytest.mark.parametrize(
    ("was", "now", "line", "said"),
    [
        ("purpose: offer tea\n", "", 1, "'purpose' is missing; add it"),
        ("owner:", "colour: red\nowner:", 7, "'colour' is not a key of a target; use name, title"),
        ("window_days: 14", "window_days: 0", 5, "'window_days' is not a number of days from 1 to 182"),
        (
            "window_days: 14",
            "window_days: 14\nsplit: random",
            6,
            "'split' is not chosen: days are always split by time",
        ),
        ("name: buys_tea", "name: tea", 1, "'name' is 'tea', but the file is buys_tea.yml"),
        ("kind: category, categories: [TEA]", "kind: brand", 4, "'event' has no known kind; write event"),
        ("categories: [TEA]", "products: [TEA]", 4, "'event.products' is not a key of category"),
        ("categories: [TEA]", "categories: TEA", 4, "'event.categories' names nothing that can be bought"),
        (", categories: [TEA]", "", 4, "'event' of kind category needs categories or largest"),
        ("categories: [TEA]", "largest: 1", 4, "'event.largest' is not a number from 2 to 100"),
        ("kind: category, categories: [TEA]", "kind: high_spend, top_pct: 90", 4, "is not a share above 0"),
        (", says: orders with tea so far", "", 6, "'baseline' is not a column to beat; write it with the texts"),
    ],
)
def test_what_is_wrong_is_said_with_its_line_and_the_mend(tmp_path, was, now, line, said):
    assert was in GOOD
    with pytest.raises(BadConfiguration) as found:
        read(tmp_path, GOOD.replace(was, now))
    assert str(found.value).startswith(f"{tmp_path / 'buys_tea.yml'}:{line}: ")
    assert said in str(found.value)


def test_the_shipped_targets_can_be_read_and_keep_their_names():
    settings = load_settings()
    found = {target.name: target for target in load_targets(settings)}
    assert tuple(found) == target_names(settings)
    assert {"churn_28d", "category_28d", "buys_coffee_28d", "coupon_response_28d", "high_value_28d"} <= set(found)
    assert found["churn_28d"].baseline.name == "recency"
    assert found["category_28d"].is_by_category
