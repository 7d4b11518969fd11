"""Each feature's plain name and unit: how a column of the portrait is said to a person."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from huaxiang.report import words

_WINDOWS = {"7d": "7 days", "28d": "28 days", "91d": "91 days", "364d": "364 days"}


@dataclass(frozen=True)
class Term:
    """`unit` is one of: count, money, days, share, ratio, number, day, weekday, hour, quintile, text."""

    label: str
    unit: str


_TERMS = {
    "customer_count": Term("Customers", "count"),
    "customer_share": Term("Share of customers", "share"),
    "first_order_on": Term("First order", "day"),
    "last_order_on": Term("Last order", "day"),
    "recency_days": Term("Days since last order", "days"),
    "tenure_days": Term("Days since first order", "days"),
    "order_count": Term("Orders", "count"),
    "net_spend": Term("Net spend", "money"),
    "line_count": Term("Order lines", "count"),
    "basket_net_mean": Term("Average basket", "money"),
    "basket_lines_mean": Term("Lines in a basket", "number"),
    "order_trend": Term("Order trend, 28 against 91 days", "ratio"),
    "spend_trend": Term("Spend trend, 28 against 91 days", "ratio"),
    "gap_days_mean": Term("Days between orders", "number"),
    "gap_days_std": Term("Spread of days between orders", "number"),
    "discount_share": Term("Discount share", "share"),
    "coupon_share": Term("Coupon share", "share"),
    "private_label_share": Term("Private-label share", "share"),
    "price_level": Term("Price level within category", "ratio"),
    "preferred_weekday": Term("Usual weekday", "weekday"),
    "preferred_weekday_share": Term("Orders on the usual weekday", "share"),
    "preferred_hour": Term("Usual hour", "hour"),
    "preferred_hour_share": Term("Orders in the usual hour", "share"),
    "preferred_store_id": Term("Usual store", "text"),
    "preferred_store_share": Term("Orders in the usual store", "share"),
    "category_count": Term("Categories bought", "count"),
    "recency_quintile": Term("Recency fifth, 5 is best", "quintile"),
    "frequency_quintile": Term("Frequency fifth, 5 is best", "quintile"),
    "monetary_quintile": Term("Spend fifth, 5 is best", "quintile"),
    "campaigns_received": Term("Campaigns received", "count"),
    "campaigns_answered": Term("Campaigns answered", "count"),
    "late_after_days": Term("Days after which the customer is late", "number"),
    "spend_rank_364d": Term("Place by spend of 364 days, 100 % is the highest", "share"),
    "weekend_share": Term("Orders on a weekend", "share"),
    "morning_share": Term("Orders in the morning, 5:00 to 10:59", "share"),
    "evening_share": Term("Orders in the evening, 17:00 to 21:59", "share"),
    "quick_trip_share": Term("Orders of 1 to 3 products", "share"),
    "fill_in_share": Term("Orders of 4 to 19 products", "share"),
    "stock_up_share": Term("Orders of 20 products or more", "share"),
    "basket_products_mean": Term("Products in a basket", "number"),
    "basket_trend": Term("Basket trend, 91 against 364 days", "ratio"),
    "store_count": Term("Stores", "count"),
    "store_switch_share": Term("Orders in another store than the one before", "share"),
    "active_week_count": Term("Weeks with an order", "count"),
    "brand_repeat_share": Term("Branded purchases of the favourite brand", "share"),
    "brand_category_count": Term("Categories with a choice of brands", "count"),
    "new_category_count": Term("Categories bought for the first time", "count"),
    "rhythm_category_count": Term("Categories bought in a rhythm", "count"),
    "due_category_count_7d": Term("Categories expected in 7 days", "count"),
    "overdue_category_count": Term("Categories that are late", "count"),
    "lapsed_category_count": Term("Categories that stay away", "count"),
    "campaigns_since_answer": Term("Campaigns since the last answer", "count"),
    "coupons_redeemed": Term("Coupons redeemed", "count"),
    "days_since_campaign": Term("Days since the last campaign", "days"),
    "display_share": Term("Bought on display", "share"),
    "mailer_share": Term("Bought from the mailer", "share"),
    "churn_probability_28d": Term("Probability of no order in the next 28 days", "share"),
    "likely_category": Term("Likeliest category", "text"),
    "likely_category_probability": Term("Probability of buying from it in the next 28 days", "share"),
    **{
        f"{name}_{what}": Term(f"{said}, {how}", unit)
        for name, said in {
            "age_band": "Age",
            "income_band": "Income",
            "household_size": "Household size",
            "marital_status": "Marital status",
            "home_ownership": "Home ownership",
        }.items()
        for what, how, unit in (("inferred", "inferred", "text"), ("confidence", "how sure", "share"))
    },
    "leading_factor": Term("Leading behavioural lifestyle factor", "text"),
    "leading_factor_share": Term("Its share in what is bought", "share"),
}


def term(column: str) -> Term:
    """The column's plain name and unit; windows (`order_count_28d`) are put together, the unknown is spelled out."""
    if column in _TERMS:
        return _TERMS[column]
    stem, _, window = column.rpartition("_")
    if window in _WINDOWS and stem in _TERMS:
        return Term(f"{_TERMS[stem].label}, {_WINDOWS[window]}", _TERMS[stem].unit)
    return Term(words.plain(column).capitalize(), "")


def is_window(column: str) -> bool:
    """Whether the column is a figure of the last days (`order_count_28d`), not one that is only named after days."""
    return column not in _TERMS and column.rpartition("_")[2] in _WINDOWS


def in_order(columns: Iterable[str]) -> list[str]:
    """The columns in the order of this glossary, short windows before long ones, unknown columns last."""
    places = {name: place for place, name in enumerate(_TERMS)}
    spans = {name: place for place, name in enumerate(_WINDOWS, start=1)}

    def place(column: str) -> tuple[int, int, str]:
        stem, _, window = column.rpartition("_")
        if column in places or window not in spans:
            return places.get(column, len(places)), 0, column
        return places.get(stem, len(places)), spans[window], column

    return sorted(columns, key=place)


def say(column: str, value: Any, currency: str, mean: bool = False) -> str:
    """The value with its unit; `mean` asks for the decimals an average deserves."""
    if value is None:
        return words.NONE
    unit = term(column).unit
    if isinstance(value, str):
        return words.visible(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, date):
        return words.day(value)
    if unit == "weekday" and not mean:
        return words.WEEKDAYS[int(value) - 1]
    if unit == "hour" and not mean:
        return f"{int(value):02d}:00–{int(value):02d}:59"
    if unit == "quintile" and not mean:
        return f"{int(value)} of 5"
    if unit == "money":
        return words.money(value, currency)
    if unit == "share":
        return words.percent(value)
    if unit == "ratio":
        return f"{words.number(value, 2)} ×"
    if unit == "days":
        return f"{words.number(value, 1)} days" if mean else words.plural(int(value), "day")
    if unit == "number" or mean or isinstance(value, float | Decimal):
        return words.number(value, 1)
    return words.count(value)
