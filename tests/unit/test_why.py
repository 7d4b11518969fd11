"""What stands behind a column, and what each figure adds to a model's answer."""

from datetime import date
from types import SimpleNamespace

import duckdb
import numpy as np
import pandas as pd
import pytest

from huaxiang.settings import Run
from huaxiang.tags import tag_columns
from huaxiang.why.asking import Day, asked_of, says_the_same
from huaxiang.why.behind import Behind, Rows, behind_columns, columns_of, read_by, rows_of
from huaxiang.why.model import parts_of_score, parts_of_segment
from huaxiang.why.otherwise import Change, nearest


def feature(name: str, typical: float, weight: float = 0.0) -> dict:
    return {"name": name, "typical": [typical], "weight": weight, "mean": 1.0, "deviation": 2.0, "is_log": False,
            "is_told": True}  # fmt: skip


def model(kind: str, *features: dict) -> dict:
    return {"kind": kind, "categories": [""], "clip": 5.0, "intercept": 0.5, "calibration": [[2.0, 0.25]],
            "features": list(features)}  # fmt: skip


ROW = pd.DataFrame({"a": [5.0], "b": [np.nan], "c": [3.0]})


def test_every_column_says_what_stands_behind_it(settings) -> None:
    known = behind_columns(settings)
    silent = [
        column.name
        for column in tag_columns(settings)
        if column.name not in ("customer_id", "as_of") and known.get(column.name, Behind()) == Behind()
    ]
    assert silent == []
    assert known["discount_share"].rows == (Rows("order_lines", 364, "not is_return"),)
    assert known["monetary_quintile"].compares
    assert known["churn_probability_28d"] == Behind(model="churn_28d")
    assert known["produce_spend_91d"].rows == (Rows("order_lines", 91, "department = 'PRODUCE'"),)


def test_a_tag_that_reads_another_rests_on_its_columns() -> None:
    def tag(name, value, evidence="''", reads=()):
        return SimpleNamespace(name=name, value=value, evidence=evidence, confidence="1.0", reads=reads)

    inner = tag("inner", "case when order_count > 1 then 'x' end")
    value = "case when tag_inner = 'x' and recency_days < 3 then 'y' end"
    outer = tag("outer", value, "cast(net_spend as string)", ("inner",))
    read = read_by(outer, {"inner": inner})
    assert read == {"order_count": ["tag inner"], "recency_days": ["value"], "net_spend": ["evidence"]}


def test_columns_of_an_expression_are_found_whatever_its_shape() -> None:
    expression = "case when a > 1 and b is null then 'c' else cast(d as string) || coalesce(a, 'e') end"
    assert columns_of(expression) == ["a", "b", "d"]


def test_columns_with_the_same_rows_share_them() -> None:
    lines, sends = Rows("order_lines", 28), Rows("sends")
    behind = {"a": Behind((lines,)), "b": Behind((lines, sends)), "c": Behind(model="m")}
    assert rows_of(["a", "b", "c"], behind) == {lines: ["a", "b"], sends: ["b"]}


def test_of_a_linear_model_the_parts_are_exact() -> None:
    """a is 5, typical 1: (5 - 1) / 2 deviations at weight 0.5, times the slope 2, adds 2; the unknown adds nothing."""
    linear = model("linear", feature("a", 1.0, 0.5), feature("b", 2.0, 1.0), feature("c", 4.0, 1.0))
    base, total, parts = parts_of_score(linear, ROW)
    assert {part.name: round(part.adds, 9) for part in parts} == {"a": 2.0, "b": 0.0, "c": -1.0}
    assert {part.name: round(part.alone, 9) for part in parts} == {"a": 2.0, "b": 0.0, "c": -1.0}
    assert [part.name for part in parts] == ["a", "c", "b"]
    # typical: 0.5 + 0 + 0.5 + 1.5 = 2.5, times 2, plus 0.25
    assert (round(base, 9), round(total, 9)) == (5.25, 6.25)


def test_of_trees_the_parts_add_up_where_figures_act_together() -> None:
    """The score is a * c, so neither has a part of its own: together they add a * c less the typical product."""
    product = SimpleNamespace(decision_function=lambda rows: rows[:, 0] * rows[:, 2])
    together = model("trees", feature("a", 1.0), feature("b", 2.0), feature("c", 4.0))
    base, total, parts = parts_of_score(together, ROW, product)
    assert (base, total) == (2 * 1 * 4 + 0.25, 2 * 5 * 3 + 0.25)
    assert base + sum(part.adds for part in parts) == pytest.approx(total, abs=1e-9)
    found = {part.name: part for part in parts}
    # of the two orders a first adds 2 * 4 * 4 or 2 * 4 * 3, half of each
    assert found["a"].adds == pytest.approx(28)
    assert found["c"].adds == pytest.approx(-6)
    # taking a away: 2 * 5 * 3 becomes 2 * 1 * 3
    assert (found["a"].alone, found["c"].alone, found["b"].alone) == (24, -10, 0)


def test_a_segments_parts_add_up_to_the_difference_of_the_distances() -> None:
    scaling = {"is_skewed": False, "fill": 0.0, "least": 0.0, "scale": 1.0, "mean": 0.0, "deviation": 1.0, "clip": 9.0,
               "weight": 1.0}  # fmt: skip
    two = {
        "decimals": 6,
        "scalings": [{"name": "x", **scaling}, {"name": "y", **scaling}],
        "segments": [
            {"segment_id": 1, "name": "near", "centre": [1.0, 1.0]},
            {"segment_id": 2, "name": "far", "centre": [4.0, 0.0]},
        ],
    }
    own, other, parts = parts_of_segment(two, {"x": 2, "y": None})
    assert (own["name"], other["name"]) == ("near", "far")
    # x: 2 to 4 is 4, 2 to 1 is 1; y: 0 to 0 is 0, 0 to 1 is 1
    assert [(part.name, part.value, part.adds) for part in parts] == [("x", 2.0, 3.0), ("y", None, -1.0)]

    near, far = two["segments"]  # of a mixture: x is 4 from both, y 1 from the near one; the far one is 1.5 larger
    mixture = {**two, "segments": [{**near, "spread": [0.5, 1.0]}, {**far, "spread": [1.0, 2.0], "offset": 1.5}]}
    own, other, parts = parts_of_segment(mixture, {"x": 2, "y": None})
    assert (own["name"], other["name"]) == ("near", "far")
    assert [part.adds for part in parts] == [1.5, -1.0, 0.0]


def test_a_rule_that_says_something_else_than_the_portrait_has_changed(tmp_path) -> None:
    (tmp_path / "profiles").mkdir()
    with duckdb.connect() as connection:
        row = "select 'c1' as customer_id, date '2026-01-31' as as_of, 5 as order_count"
        connection.execute(f"copy ({row}) to '{tmp_path / 'profiles' / 'customer_profiles.parquet'}' (format parquet)")
    day = Day(Run(date(2026, 1, 31), date(2026, 1, 31)), tmp_path, None)

    def asked(value: str, said: str | None) -> bool:
        return says_the_same(SimpleNamespace(value=value, reads=()), day, "c1", said)

    assert asked("case when order_count > 4 then 'often' end", "often")
    assert asked("case when order_count > 5 then 'often' end", None)
    assert not asked("case when order_count > 5 then 'often' end", "often")
    # declared features stand in a table of their own
    (tmp_path / "features").mkdir()
    with duckdb.connect() as connection:
        row = "select 'c1' as customer_id, date '2026-01-31' as as_of, 7 as tea_count"
        path = tmp_path / "features" / "customer_event_features.parquet"
        connection.execute(f"copy ({row}) to '{path}' (format parquet)")
    assert asked("case when order_count > 4 and tea_count = 7 then 'often' end", "often")
    tag = SimpleNamespace(value="case when order_count > 4 then 'often' when tea_count = 7 then 'tea' end")
    assert asked_of(tag, day, "c1", "order_count", [4.0, 4.5, 9.0]) == ["tea", "often", "often"]
    # a column that the day did not have yet
    assert not asked("case when net_spend > 5 then 'much' end", "much")
    assert asked("case when net_spend > 5 then 'much' end", None)


def test_the_nearest_change_is_the_one_that_passes_fewest_customers() -> None:
    """b is 10 for everybody else; a must rise above 4, and of twenty customers with 1 to 20 four lie from 1 to 5."""
    everybody = pd.DataFrame({"a": np.arange(1.0, 21.0), "b": [1.0] + [10.0] * 19, "c": [np.nan] * 20, "d": [3.0] * 20})
    row = {"a": 1.0, "b": 1.0, "c": None, "d": 3.0}

    def says(rows: pd.DataFrame) -> list[str]:
        return ["high" if one.a > 4 or one.b > 5 or one.d != 3 else "low" for one in rows.itertuples()]

    assert nearest(row, ["a", "b", "c", "d"], everybody, "low", says) == (
        Change("b", 1.0, 10.0, "high", 0.05),
        Change("a", 1.0, 5.0, "high", 0.2),
    )
    assert nearest(row, ["d"], everybody, "low", says) == ()
