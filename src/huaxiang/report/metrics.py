"""Each figure that a model is judged by, in plain words: its name, what it means, which way is better. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from huaxiang.report import words

_DECIMALS = {"score": 3, "days": 2}
_AFTER = {"share": " %", "days": " days"}


@dataclass(frozen=True)
class Metric:
    """`unit` is share (told in percent), days or score (told as it is)."""

    label: str
    meaning: str = ""
    unit: str = "score"
    is_higher_better: bool = True

    def say(self, value: float | None, signed: bool = False) -> str:
        """The value with the decimals that tell two models apart."""
        if value is None:
            return words.NONE
        shown = f"{self.say_difference(value)}{self.unit_after}"
        return f"+{shown}" if signed and value > 0 else shown

    def say_difference(self, value: float) -> str:
        """A difference between two values without its unit; of shares in percentage points."""
        shown = words.number(100 * value, 1) if self.unit == "share" else words.number(value, _DECIMALS[self.unit])
        return shown.replace("-", "−")

    @property
    def unit_after(self) -> str:
        """What stands after a value."""
        return _AFTER.get(self.unit, "")

    @property
    def unit_after_difference(self) -> str:
        """What stands after a difference."""
        return " percentage points" if self.unit == "share" else self.unit_after


# `{k}` is how many places of a list count, the attribute or the target; the most telling figures come first.
_METRICS = {
    "auc": Metric(
        "Right order (AUC)",
        "of a customer it happens to and one it does not, how often the first has the higher probability: "
        "0.5 is tossing a coin, 1 is never wrong",
    ),
    "auc_of": Metric("Right order (AUC): {k}", "0.5 is tossing a coin, 1 is never wrong"),
    "ndcg": Metric(
        "Quality of the first {k} (NDCG)",
        "what was bought counts more the higher it stood in the list: 0 is nothing found, 1 is a perfect list",
    ),
    "hr": Metric("Customers with a hit in {k}", "who then bought at least one of the first {k}", "share"),
    "recall": Metric("Purchases foreseen by {k}", "share of what was then bought that is among the first {k}", "share"),
    "brier": Metric(
        "Error of the probability (Brier)",
        "mean squared distance between the probability and what happened: 0 is best",
        is_higher_better=False,
    ),
    "calibration_error": Metric(
        "Miscalibration", "how far the probabilities are from the shares that came about: 0 is best", "share", False
    ),
    "error_days": Metric(
        "Days off", "mean distance between the day foretold and the day of the purchase: 0 is best", "days", False
    ),
    "latest_loss_days": Metric(
        "Loss of the last day",
        "how well the day is foretold by which nine in ten have come: each day too early counts .9, each too late .1 "
        "(pinball loss), and 0 is best",
        "days",
        False,
    ),
    "held_share": Metric(
        "Rules that hold later", "share of the rules that also hold in later orders, which they were not made from",
        "share",
    ),
    "later_lift": Metric(
        "Strength later (lift)",
        "how many times as many later orders have both as would by chance: 1 is chance",
    ),
    "accuracy": Metric(
        "Right values", "share of the customers who declared of whom the right value would be said", "share"
    ),
    "accuracy_of": Metric(
        "Right values: {k}", "share of those who declared it of whom the right value would be said", "share"
    ),
    "tucker_phi": Metric(
        "Stability (Tucker's φ)",
        "how alike the factors are that two random halves of the customers give: 1 is the same",
    ),
    "explained_share": Metric(
        "Purchases explained",
        "share of the mix of categories that the factors of other customers make up for",
        "share",
    ),
    "log_likelihood": Metric(
        "Log-likelihood of what came (minus log-loss)",
        "mean logarithm of the probability that was given to what then came: 0 is to know it, lower is worse",
    ),
    "hit": Metric("Steps foreseen by {k}", "share of what then came that is among the first {k}", "share"),
    "silhouette": Metric(
        "Separation (silhouette)", "how much nearer customers are to their own group than to the next: 1 is best"
    ),
    "stability": Metric(
        "Stability (adjusted Rand index)", "how alike the groups are when customers are drawn anew: 1 is the same"
    ),
    "outlier_recall": Metric(
        "Planted businesses found",
        "share of business buyers, planted among the customers of the training, that are called unlike everybody",
        "share",
    ),
}  # fmt: skip


def metric(name: str) -> Metric:
    """The figure's plain name; one with a number of places (`hr_at_10`), an attribute or a target is put together.

    The unknown is spelled out; of an unknown figure more is taken to be better, as promotion does.
    """
    if name in _METRICS:
        return _METRICS[name]
    stem, place = _parts(name)
    if place and stem in _METRICS:
        known = _METRICS[stem]
        return replace(known, label=known.label.format(k=place), meaning=known.meaning.format(k=place))
    unit = "share" if name.endswith("_share") else "score"
    return Metric(name.replace("_", " ").capitalize(), unit=unit)


def in_order(names: list[str]) -> list[str]:
    """The most telling first, unknown ones last, in the order given."""
    places = {name: place for place, name in enumerate(_METRICS)}
    return sorted(names, key=lambda name: places.get(name, places.get(_parts(name)[0], len(places))))


def _parts(name: str) -> tuple[str, str]:
    """The stem, and the number of places, the attribute or the target."""
    if found := re.fullmatch(r"(.+)_at_(\d+)", name):
        return found[1], found[2]
    if found := re.fullmatch(r"(accuracy_of|auc_of)_(.+)", name):
        return found[1], found[2].replace("_", " ")
    return name, ""
