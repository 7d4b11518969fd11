"""Names made from the data: each word is a tested difference between a segment and all other customers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from spark_jobs.segments.params import SegmentParams

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    Array = np.ndarray

ALL_CUSTOMERS = "all customers"
NO_DIFFERENCE = "no marked difference"


@dataclass(frozen=True)
class Word:
    """A word for a feature that is clearly higher (`direction` 1) or lower (-1) than among the others.

    Of words of one family a name holds the first that passes: they say nearly the same. `least_mean` is a figure that
    the segment's mean must reach for the word to be true in plain language, not only in comparison.
    """

    word: str
    feature: str
    direction: int
    family: str
    least_mean: float | None = None


@dataclass(frozen=True)
class Fact:
    """A tested difference. `effect` is the rank-biserial correlation (-1 to 1), `p_value` Bonferroni-adjusted."""

    feature: str
    word: str
    family: str
    statement: str
    segment_mean: float
    rest_mean: float
    effect: float
    p_value: float


# In reading order. Shares of the preferred weekday or hour are left out: with few orders they are high by chance.
VOCABULARY = (
    Word("lapsed", "recency_days", 1, "activity", least_mean=56),
    Word("frequent", "order_count_91d", 1, "activity"),
    Word("occasional", "order_count_91d", -1, "activity"),
    Word("growing", "spend_trend", 1, "activity"),
    Word("fading", "spend_trend", -1, "activity"),
    Word("coupon-minded", "coupon_share", 1, "coupons"),
    Word("answering campaigns", "campaigns_answered", 1, "campaigns"),
    Word("discount seekers", "discount_share", 1, "discounts"),
    Word("paying full price", "discount_share", -1, "discounts"),
    Word("private-label buyers", "private_label_share", 1, "brands"),
    Word("brand buyers", "private_label_share", -1, "brands"),
    Word("higher-priced choices", "price_level", 1, "prices"),
    Word("lower-priced choices", "price_level", -1, "prices"),
    Word("true to one store", "preferred_store_share", 1, "stores"),
    Word("in several stores", "preferred_store_share", -1, "stores"),
    Word("large baskets", "basket_net_mean", 1, "baskets"),
    Word("small baskets", "basket_net_mean", -1, "baskets"),
    Word("big spenders", "net_spend_91d", 1, "spend"),
    Word("low spend", "net_spend_91d", -1, "spend"),
    Word("wide range", "category_count", 1, "spend"),
    Word("narrow range", "category_count", -1, "spend"),
)
_READING_ORDER = {word.word: place for place, word in enumerate(VOCABULARY)}

# How a feature is said: its label and the kind of its figure.
PLAIN = {
    "recency_days": ("days since the last order", "number"),
    "order_count_28d": ("orders in 28 days", "number"),
    "order_count_91d": ("orders in 91 days", "number"),
    "spend_trend": ("spend rate of 28 days against that of 91 days", "ratio"),
    "coupon_share": ("share of the gross price paid by coupons", "share"),
    "campaigns_answered": ("campaigns answered", "number"),
    "campaigns_received": ("campaigns received", "number"),
    "discount_share": ("share of the gross price taken off by discounts", "share"),
    "private_label_share": ("share of spend on private labels", "share"),
    "price_level": ("price level within the category (1 is average)", "ratio"),
    "preferred_store_share": ("share of orders in the preferred store", "share"),
    "basket_net_mean": ("net spend per order", "money"),
    "basket_lines_mean": ("lines per order", "number"),
    "net_spend": ("net spend in all", "money"),
    "net_spend_28d": ("net spend in 28 days", "money"),
    "net_spend_91d": ("net spend in 91 days", "money"),
    "category_count": ("categories bought", "number"),
    "tenure_days": ("days since the first order", "number"),
}


def facts(customers: pd.DataFrame, labels: Array, params: SegmentParams, currency: str = "") -> dict[int, list[Fact]]:
    """For each label its tested differences from the other customers, the largest first.

    A word passes when the Mann-Whitney p-value times the number of tests is below `largest_p_value`, the effect reaches
    `smallest_effect` and the means differ in the same direction, so that the statement bears the word out.
    """
    features = [name for name in dict.fromkeys(word.feature for word in VOCABULARY) if name in customers.columns]
    groups = sorted({int(label) for label in labels})
    found: dict[int, list[Fact]] = {label: [] for label in groups}
    if len(groups) < 2:
        return found
    tests = len(groups) * len(features)
    for label in groups:
        inside = labels == label
        for feature in features:
            values = customers[feature].to_numpy(dtype=float)
            fact = _tested(feature, values[inside], values[~inside], tests, params, currency)
            if fact:
                found[label].append(fact)
        found[label].sort(key=lambda fact: (-abs(fact.effect), _READING_ORDER[fact.word]))
    return found


def names(found: dict[int, list[Fact]], params: SegmentParams) -> dict[int, tuple[str, ...]]:
    """For each label the words of its name, in reading order; all names differ.

    A name starts with the largest differences, one per family. Where two are equal, both take their next word.
    """
    if len(found) < 2:
        return dict.fromkeys(found, (ALL_CUSTOMERS,))
    choices = {label: _one_per_family(tested) for label, tested in found.items()}
    length = {label: params.words_in_name for label in found}
    while True:
        chosen = {label: _read(words[: length[label]]) for label, words in choices.items()}
        equal = {label for label in chosen if list(chosen.values()).count(chosen[label]) > 1}
        longer = {label for label in equal if length[label] < len(choices[label])}
        if not longer:
            break
        for label in longer:
            length[label] += 1
    return _numbered(chosen)


def in_name_order(tested: Sequence[Fact], words: Sequence[str]) -> list[Fact]:
    """The facts behind a name's words first, then the others, each by size."""
    return sorted(tested, key=lambda fact: fact.word not in words)


def said(value: float, kind: str, currency: str = "") -> str:
    """A figure in plain words: `9.2`, `12.3 %`, `1,002.22 USD`."""
    if kind == "share":
        return f"{100 * value:.1f} %"
    if kind == "money":
        return f"{value:,.2f} {currency}".rstrip()
    return f"{value:,.2f}" if kind == "ratio" or abs(value) < 1 else f"{value:,.1f}"


def _tested(
    feature: str, inside: Array, outside: Array, tests: int, params: SegmentParams, currency: str
) -> Fact | None:
    import numpy as np
    from scipy.stats import mannwhitneyu

    inside, outside = inside[~np.isnan(inside)], outside[~np.isnan(outside)]
    if not len(inside) or not len(outside):
        return None
    test = mannwhitneyu(inside, outside)
    effect = 2 * float(test.statistic) / len(inside) / len(outside) - 1
    p_value = min(1.0, float(test.pvalue) * tests)
    mean, rest = float(inside.mean()), float(outside.mean())
    word = next((w for w in VOCABULARY if w.feature == feature and w.direction * effect > 0), None)
    if word is None or p_value >= params.largest_p_value or abs(effect) < params.smallest_effect:
        return None
    if word.direction * (mean - rest) <= 0 or (word.least_mean is not None and mean < word.least_mean):
        return None
    label, kind = PLAIN[feature]
    statement = f"{label}: {said(mean, kind, currency)} against {said(rest, kind, currency)} for the others"
    figures = (round(mean, 6), round(rest, 6), round(effect, 6))
    return Fact(feature, word.word, word.family, statement, *figures, p_value=float(f"{p_value:.3e}"))


def _one_per_family(tested: Sequence[Fact]) -> list[str]:
    """Words by size of their difference; of a family the one that the vocabulary lists first."""
    first: dict[str, Fact] = {}
    for fact in sorted(tested, key=lambda fact: _READING_ORDER[fact.word]):
        first.setdefault(fact.family, fact)
    return [fact.word for fact in tested if first[fact.family] is fact]


def _read(words: Sequence[str]) -> tuple[str, ...]:
    return tuple(sorted(words, key=_READING_ORDER.__getitem__)) or (NO_DIFFERENCE,)


def _numbered(chosen: dict[int, tuple[str, ...]]) -> dict[int, tuple[str, ...]]:
    """Names that no tested difference tells apart get a number."""
    seen: dict[tuple[str, ...], int] = {}
    result = {}
    for label in sorted(chosen):
        words = chosen[label]
        seen[words] = seen.get(words, 0) + 1
        result[label] = words if seen[words] == 1 else (*words, f"group {seen[words]}")
    return result
