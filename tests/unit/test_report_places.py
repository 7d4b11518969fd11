"""What the population page says of stores and regions."""

from __future__ import annotations

from types import SimpleNamespace

from huaxiang.report.places import Place, Places, places


def tables(rows: list[dict]) -> SimpleNamespace:
    return SimpleNamespace(
        has=lambda name: bool(rows), rows=lambda query: rows, settings=SimpleNamespace(currency="USD")
    )


def place(level: str, name: str, customers: int, mean: float, low: float | None, high: float | None) -> dict:
    return {
        "level": level, "place_id": name, "customer_count": customers, "order_count": 2 * customers,
        "net_spend": 2 * customers * mean, "basket_mean": mean, "basket_expected": mean, "basket_low": low,
        "basket_high": high,
    }  # fmt: skip


def test_places_surely_apart_from_the_mean_of_all_are_counted():
    """The mean of all is (30 x 10 + 10 x 30) / 40 = 15: a is surely below it, b surely above."""
    a, b = place("store", "a", 30, 10.0, 8.0, 12.0), place("store", "b", 10, 30.0, 20.0, 40.0)
    [found] = places(tables([a, b]), shown=1)
    largest = Place("a", 30, 60, "$600", "$10.00", "$8.00 to $12.00")
    assert found == Places("stores", 2, "$15.00", above=1, below=1, largest=(largest,))


def test_where_places_do_not_differ_no_interval_is_shown():
    rows = [place("region", name, 5, 10.0, None, None) for name in ("east", "west")]
    [found] = places(tables(rows), shown=2)
    assert (found.above, found.below, {one.interval for one in found.largest}) == (0, 0, {"–"})


def test_of_one_place_or_none_nothing_is_said():
    assert places(tables([place("region", "north", 5, 10.0, None, None)]), shown=2) == ()
    assert places(tables([]), shown=2) == ()
