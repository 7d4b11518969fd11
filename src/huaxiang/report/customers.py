"""The data of the customer page: every customer's portrait, in small script files that the page loads one at a time.

Script files rather than JSON, because a page opened from disk may not fetch. All text is made here, unseen characters
spelled out; the page only sets it as text.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from math import ceil
from pathlib import Path
from typing import Any

from huaxiang.report import glossary, words
from huaxiang.report.items import Items, Pick
from huaxiang.report.outlook import outlook
from huaxiang.report.portrait import sentences
from huaxiang.report.products import Product
from huaxiang.report.tables import BuildTables, Row
from huaxiang.tags import load_tags

SHARDS = 64
_LARGEST, _SMALLEST = 400, 16  # customers in a shard

DECLARED = (
    "age_band", "income_band", "household_size", "children", "marital_status", "home_ownership", "household_type",
)  # fmt: skip
_WINDOWS = ("7d", "28d", "91d", "364d")
_HEADLINE = ("net_spend", "order_count", "recency_days", "basket_net_mean", "session_count", "page_view_count")
_ELSEWHERE = {
    "customer_id", "as_of", "segment_id", "segment_name", "top_category", "top_category_weight", "churn_reasons",
    "likely_category_reasons", "any_product_id", "any_product_type", "any_product_reason", "new_product_id",
    "new_product_type", "new_product_reason", *DECLARED,
}  # fmt: skip
_KINDS = {"fact": "Facts", "rule": "Rules", "model": "Models"}


def write_customers(folder: Path, tables: BuildTables) -> dict[str, int]:
    """Write `index.js` and one file per shard; returns how many customers, shards and segments there are."""
    folder.mkdir(parents=True, exist_ok=True)
    profiles = tables.rows(f"select *, {_spend_rank(tables)} as spend_rank from customer_profiles")
    profiles.sort(key=lambda row: natural(row["customer_id"]))
    interests, tags = _interests(tables), _tags(tables)
    items = Items(tables) if tables.has("customer_items") else None
    picks, scores = items.picks() if items else {}, outlook(tables)
    currency = tables.settings.currency
    columns = list(tables.columns["customer_profiles"])
    figures = [column for column in columns if column not in _ELSEWHERE and not glossary.is_window(column)]
    stems = [
        stem
        for stem in ("order_count", "net_spend", "session_count", "page_view_count")
        if any(f"{stem}_{window}" in columns for window in _WINDOWS)
    ]
    windows = [window for window in _WINDOWS if all(f"{stem}_{window}" in columns for stem in stems)]
    shown = {
        "columns": columns,
        "spans": windows,
        "figures": figures,
        "declared": [column for column in DECLARED if column in columns],
        "headline": [column for column in _HEADLINE if column in columns],
        "windows": [(stem, [f"{stem}_{window}" for window in windows]) for stem in stems] if windows else [],
    }
    size = shard_size(len(profiles))
    for number in range(ceil(len(profiles) / size)):
        part = profiles[number * size : (number + 1) * size]
        products: dict[Product, int] = {}
        people = [
            _customer(
                row, shown, interests.get(row["customer_id"], []), tags["of"].get(row["customer_id"], []), currency
            )
            | _ahead(picks.get(row["customer_id"]), scores.of.get(row["customer_id"]) if scores else None, products)
            for row in part
        ]
        named = [[words.visible(product.name), words.visible(product.detail)] for product in products]
        _write(folder / f"{number:02d}.js", f"huaxiang.shard({number},", people, *([named] if named else []))
    index = _index(profiles, shown, tags, tables, size)
    index["tasks"] = items.titles() if items else []
    index["ahead"] = list(zip(scores.names, scores.means, strict=True)) if scores else []
    _write(folder / "index.js", "huaxiang.index(", index)
    return {"customers": len(profiles), "shards": ceil(len(profiles) / size), "segments": len(index["segments"])}


def shard_size(customers: int) -> int:
    """Customers per file: about 64 files, unless that makes them tiny or large."""
    return min(_LARGEST, max(_SMALLEST, ceil(customers / SHARDS)))


def natural(text: str) -> list[tuple[int, int, str]]:
    """Sort key under which `9` comes before `10`."""
    parts = re.findall(r"[0-9]+|[^0-9]+", text)
    return [(0, int(part), part) if part[0] in "0123456789" else (1, 0, part) for part in parts]


def _index(
    profiles: list[Row], shown: dict[str, Any], tags: dict[str, Any], tables: BuildTables, size: int
) -> dict[str, Any]:
    currency = tables.settings.currency
    means = _means(tables, shown["figures"])
    segments = {
        row["segment_id"]: words.visible(row["segment_name"]) for row in profiles if row.get("segment_id") is not None
    }
    ids = [row["customer_id"] for row in profiles]
    return {
        "size": size,
        "ids": ids,
        "shown": {customer: words.visible(customer) for customer in ids if not customer.isprintable()},
        "segments": segments,
        "segment": [row.get("segment_id") for row in profiles] if segments else [],
        "spend": [words.money(row["net_spend"], currency, 0) for row in profiles]
        if "net_spend" in shown["columns"]
        else [],
        "headline": [glossary.term(column).label for column in shown["headline"]],
        "figures": [
            [
                glossary.term(column).label,
                glossary.say(column, means[column], currency, mean=True) if column in means else "",
            ]
            for column in shown["figures"]
        ],
        "windows": [glossary.term(stem).label for stem, _ in shown["windows"]],
        "spans": [f"{window.removesuffix('d')} days" for window in shown["spans"]],
        "declared": [glossary.term(column).label for column in shown["declared"]],
        "kinds": tags["kinds"],
        "tags": tags["names"],
    }


def _customer(
    row: Row, shown: dict[str, Any], interests: list[Row], tags: list[list[Any]], currency: str
) -> dict[str, Any]:
    def said(column: str) -> str:
        return glossary.say(column, row[column], currency)

    return {
        "words": sentences(row, [interest["category"] for interest in interests[:3]], currency, row["spend_rank"]),
        "headline": [said(column) for column in shown["headline"]],
        "figures": [said(column) for column in shown["figures"]],
        "windows": [[said(column) for column in columns] for _, columns in shown["windows"]],
        "declared": [said(column) for column in shown["declared"]],
        "interests": [[words.visible(interest["category"]), round(interest["weight"], 4)] for interest in interests],
        "tags": tags,
    }


def _ahead(
    picks: list[list[Pick]] | None, scores: list[list[Any]] | None, products: dict[Product, int]
) -> dict[str, Any]:
    """What a customer will likely do, and what to recommend; a customer without them carries nothing.

    `products` numbers the products of a shard, so that each one's words lie in it once; new ones are added.
    """
    found: dict[str, Any] = {}
    if picks:
        found["items"] = [
            [[products.setdefault(pick.product, len(products)), words.visible(pick.reason)] for pick in of]
            for of in picks
        ]
    if scores:
        found["ahead"] = scores
    return found


def _interests(tables: BuildTables) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = defaultdict(list)
    if tables.has("customer_interests"):
        for row in tables.rows(
            "select customer_id, category, weight from customer_interests order by customer_id, rank"
        ):
            found[row["customer_id"]].append(row)
    return found


def _tags(tables: BuildTables) -> dict[str, Any]:
    """Each customer's tags as [number of the tag, value, confidence, evidence]; each tag's title, description, kind."""
    if not tables.has("customer_tags"):
        return {"of": {}, "names": [], "kinds": []}
    names = tables.rows("select distinct tag, source from customer_tags order by tag, source")
    titles = {tag.name: (tag.title, tag.description) for tag in load_tags(tables.settings)}
    kinds = [kind for kind in _KINDS if any(row["source"] == kind for row in names)]
    kinds += sorted({row["source"] for row in names} - set(kinds))
    numbers = {(row["tag"], row["source"]): number for number, row in enumerate(names)}
    of: dict[str, list[list[Any]]] = defaultdict(list)
    for row in tables.rows("select * from customer_tags order by customer_id, tag, source"):
        of[row["customer_id"]].append(
            [
                numbers[row["tag"], row["source"]],
                words.visible(row["value"] or ""),
                row["confidence"],
                words.visible(row["evidence"] or ""),
            ]
        )
    return {
        "of": of,
        "names": [[*_titled(row["tag"], titles), kinds.index(row["source"])] for row in names],
        "kinds": [_KINDS.get(kind, words.visible(kind)) for kind in kinds],
    }


def _titled(tag: str, titles: dict[str, tuple[str, str]]) -> tuple[str, str]:
    title, description = titles.get(tag, (words.plain(tag).capitalize(), ""))
    return words.visible(title), words.visible(description)


def _means(tables: BuildTables, columns: list[str]) -> dict[str, float]:
    """The mean over all customers, where a mean says something."""
    numeric = [
        column
        for column in columns
        if glossary.term(column).unit in ("count", "money", "days", "share", "ratio", "number")
    ]
    if not numeric:
        return {}
    [row] = tables.rows(
        f"select {', '.join(f'avg({column}::double) as {column}' for column in numeric)} from customer_profiles"
    )
    return {column: value for column, value in row.items() if value is not None}


def _spend_rank(tables: BuildTables) -> str:
    has_spend = tables.has("customer_profiles", "net_spend")
    return "percent_rank() over (order by net_spend)" if has_spend else "null"


def _write(path: Path, call: str, *contents: Any) -> None:
    text = ",".join(json.dumps(content, separators=(",", ":")) for content in contents).replace("<", "\\u003c")
    path.write_text(f"{call}{text});\n", encoding="ascii")
