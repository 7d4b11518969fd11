"""How a figure is said in a reason; what has no phrase here is said by its name in the glossary."""

from __future__ import annotations

from huaxiang.report import glossary, words

# feature -> (unit, said of 1, said of any other figure)
_PHRASES = {
    "recency_days": ("days", "last order 1 day ago", "last order {} days ago"),
    "tenure_days": ("days", "first order 1 day ago", "first order {} days ago"),
    "order_count_7d": ("count", "1 order in the last 7 days", "{} orders in the last 7 days"),
    "order_count_28d": ("count", "1 order in the last 28 days", "{} orders in the last 28 days"),
    "order_count_91d": ("count", "1 order in the last 91 days", "{} orders in the last 91 days"),
    "net_spend_7d": ("money", "", "{} spent in the last 7 days"),
    "net_spend_28d": ("money", "", "{} spent in the last 28 days"),
    "net_spend_91d": ("money", "", "{} spent in the last 91 days"),
    "gap_days_mean": ("number", "1 day between orders", "{} days between orders"),
    "gap_days_std": ("number", "days between orders vary by 1", "days between orders vary by {}"),
    "category_count": ("count", "1 category bought in a year", "{} categories bought in a year"),
    "campaigns_received": ("count", "1 campaign received", "{} campaigns received"),
    "campaigns_answered": ("count", "1 campaign answered", "{} campaigns answered"),
    "category_order_count": ("count", "bought in 1 order so far", "bought in {} orders so far"),
    "category_order_count_28d": ("count", "bought once in the last 28 days", "bought in {} orders of the last 28 days"),
    "category_order_count_91d": ("count", "bought once in the last 91 days", "bought in {} orders of the last 91 days"),
    "category_recency_days": ("days", "last bought 1 day ago", "last bought {} days ago"),
    "category_order_share": ("share", "", "in {} of all orders"),
    "category_decayed_count": ("number", "recent purchases weigh 1", "recent purchases weigh {}"),
    "category_customer_share_28d": ("share", "", "bought by {} of the customers in 28 days"),
    "redemption_count": ("count", "1 coupon redeemed so far", "{} coupons redeemed so far"),
    "redemption_count_28d": (
        "count",
        "1 coupon redeemed in the last 28 days",
        "{} coupons redeemed in the last 28 days",
    ),
    "redemption_count_91d": (
        "count",
        "1 coupon redeemed in the last 91 days",
        "{} coupons redeemed in the last 91 days",
    ),
    "redemption_recency_days": ("days", "last coupon redeemed 1 day ago", "last coupon redeemed {} days ago"),
    "redemption_decayed_count": ("number", "recent redemptions weigh 1", "recent redemptions weigh {}"),
}


def unit(name: str) -> str:
    """The unit of a feature, as in the glossary."""
    return _PHRASES[name][0] if name in _PHRASES else glossary.term(name).unit


def phrase(name: str, currency: str) -> dict[str, str]:
    """What portable.py needs to say a figure: its unit, what is said of 1 and of others, and how money is written."""
    label = glossary.term(name).label
    spelled = f"{label[:1].lower()}{label[1:]}: {{}}"
    _, one, other = _PHRASES.get(name, ("", "", spelled))
    said = {"unit": unit(name), "one": one or other, "other": other}
    return said | ({"money": words.money(0, currency).replace("0.00", "{}")} if unit(name) == "money" else {})
