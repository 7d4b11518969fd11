"""The tables of a model's card that tell more than one figure can: told against came about, category by category."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from huaxiang.report import glossary, words
from huaxiang.report.metrics import metric


@dataclass(frozen=True)
class CardTable:
    """A table in words; the first cell of a row names it."""

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def card_tables(said: Mapping[str, Any]) -> tuple[CardTable, ...]:
    """Those that the card holds."""
    found = []
    if rows := said.get("reliability"):
        found.append(
            CardTable(
                "Do the probabilities come true?",
                ("Probability told", "Came about", "Cases"),
                tuple(
                    (words.percent(row["probability"]), words.percent(row["share"]), words.count(row["rows"]))
                    for row in rows
                ),
            )
        )
    if rows := said.get("by_category"):
        auc = metric("auc")
        found.append(
            CardTable(
                "Category by category",
                ("Category", "Happens in", auc.label, "Baseline", "Difference"),
                tuple(
                    (
                        str(row["category"]),
                        words.percent(row["event_share"], 0),
                        auc.say(row["auc"]),
                        auc.say(row["baseline_auc"]),
                        f"{auc.say(row['auc_gain'], signed=True)} ({auc.say(row['auc_gain_low'])} to "
                        f"{auc.say(row['auc_gain_high'])})",
                    )
                    for row in rows
                ),
            )
        )
    if rows := said.get("by_cut_off"):
        ndcg = metric("ndcg")
        found.append(
            CardTable(
                "Cut-off by cut-off",
                ("Learned up to", "Customers", "NDCG", "Baseline", "Difference"),
                tuple(
                    (
                        str(row["cut_off"]),
                        words.count(row["customers"]),
                        ndcg.say(row["ndcg"]),
                        ndcg.say(row["baseline_ndcg"]),
                        f"{ndcg.say(row['ndcg_gain'], signed=True)} ({ndcg.say(row['ndcg_gain_low'])} to "
                        f"{ndcg.say(row['ndcg_gain_high'])})",
                    )
                    for row in rows
                ),
            )
        )
    if rows := said.get("by_attribute"):
        known = metric("accuracy")
        found.append(
            CardTable(
                "Attribute by attribute",
                ("Attribute", "Declared by", "Right", "Commonest value", "Difference", "Miscalibration", "Said of"),
                tuple(
                    (
                        words.plain(row["attribute"]),
                        words.count(row["declared"]),
                        known.say(row["accuracy"]),
                        known.say(row["baseline_accuracy"]),
                        f"{known.say(row['accuracy_gain'], signed=True)} ({known.say(row['accuracy_gain_low'])} to "
                        f"{known.say(row['accuracy_gain_high'])})",
                        words.percent(row["calibration_error"]),
                        words.percent(row["published_share"]) if row["is_inferred"] else words.NONE,
                    )
                    for row in rows
                ),
            )
        )
    if rows := said.get("by_factor"):
        known = metric("tucker_phi")
        found.append(
            CardTable(
                "Factor by factor",
                ("Factor", known.label, "Found again", "Shuffled", "Published"),
                tuple(
                    (
                        str(row["name"]),
                        known.say(row["stability"]),
                        words.percent(row["found_share"], 0),
                        known.say(row["baseline_stability"]),
                        "yes" if row["is_published"] else "no",
                    )
                    for row in rows
                ),
            )
        )
    return (*found, *_of_vectors(said))


def _of_vectors(said: Mapping[str, Any]) -> list[CardTable]:
    """Every task beside RFM, and the dimensions of the vector in use or, where none is, of the best that lost."""
    found = []
    auc = metric("auc")
    if rows := said.get("by_task"):
        found.append(
            CardTable(
                "Task by task",
                ("Task", "Vector", "RFM", "Vector alone", "Difference to RFM", "Both together to RFM"),
                tuple(
                    (
                        f"{row['task']}{'' if row['decides'] else ' (told beside)'}",
                        words.plain(row["recipe"]),
                        auc.say(row["rfm_auc"]),
                        auc.say(row["auc"]),
                        _difference(row, "gain"),
                        _difference(row, "gain_with_rfm"),
                    )
                    for row in rows
                ),
            )
        )
    if rows := said.get("by_dimension"):
        found.append(
            CardTable(
                "Dimension by dimension",
                ("Dimension", "Share of variance", "High end", "Low end"),
                tuple(
                    (
                        str(row["dimension"]),
                        words.percent(row["variance_share"]),
                        *("; ".join(_input(one["input"]) for one in row[end]) for end in ("high", "low")),
                    )
                    for row in rows
                ),
            )
        )
    return found


def _input(name: str) -> str:
    """A figure by its plain name, a category as it is."""
    return glossary.term(name).label.lower()


def _difference(row: Mapping[str, Any], name: str) -> str:
    auc = metric("auc")
    value, low, high = (row[f"{name}{end}"] for end in ("", "_low", "_high"))
    return f"{auc.say(value, signed=True)} ({auc.say(low)} to {auc.say(high)})"
