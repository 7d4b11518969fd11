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
from huaxiang.report.new_categories import Start, starts
from huaxiang.report.outlook import outlook
from huaxiang.report.portrait import DECLARED_COLUMNS, KNOWN
from huaxiang.report.products import Product
from huaxiang.report.stories import Stories
from huaxiang.report.tables import BuildTables, Row
from huaxiang.tags import TREE, Tag, load_tags

SHARDS = 64
_LARGEST, _SMALLEST = 400, 16  # customers in a shard

_WINDOWS = ("7d", "28d", "91d", "364d")
_HEADLINE = ("net_spend", "order_count", "recency_days", "basket_net_mean", "session_count", "page_view_count")
_ELSEWHERE = {
    "customer_id", "as_of", "segment_id", "segment_name", "top_category", "top_category_weight", "churn_reasons",
    "likely_category_reasons", "any_product_id", "any_product_type", "any_product_reason", "new_product_id",
    "new_product_type", "new_product_reason", *DECLARED_COLUMNS,
    # what tags say in words
    "lifecycle_state", "named_interest", "named_interest_weight",
    "next_category", "next_category_on", "next_category_earliest_on", "next_category_latest_on",
    "next_category_gap_count", "lapsed_category", "lapsed_category_last_on", "lapsed_category_latest_on",
    "is_outlier", "outlier_reason",
}  # fmt: skip
_ELSEWHERE_IN_TREE = "Other"  # of tags whose file is gone


def write_customers(folder: Path, tables: BuildTables) -> dict[str, int]:
    """Write `index.js` and one file per shard; returns how many customers, shards and segments there are."""
    folder.mkdir(parents=True, exist_ok=True)
    profiles = tables.rows(f"select *, {_spend_rank(tables)} as spend_rank from customer_profiles")
    profiles.sort(key=lambda row: natural(row["customer_id"]))
    interests, keywords, tags = _interests(tables), _keywords(tables), _tags(tables)
    items = Items(tables) if tables.has("customer_items") else None
    picks, scores, begun = items.picks() if items else {}, outlook(tables), starts(tables)
    stories = Stories(tables, profiles, tags, scores.means[0] if scores else None)
    currency = tables.settings.currency
    columns = list(tables.columns["customer_profiles"])
    figures = [column for column in columns if _is_figure(column)]
    stems = [
        stem
        for stem in ("order_count", "net_spend", "session_count", "page_view_count")
        if any(f"{stem}_{window}" in columns for window in _WINDOWS)
    ]
    windows = [window for window in _WINDOWS if all(f"{stem}_{window}" in columns for stem in stems)]
    shown: dict[str, Any] = {
        "columns": columns,
        "spans": windows,
        "figures": figures,
        "declared": [column for column in DECLARED_COLUMNS if column in columns],
        "headline": [column for column in _HEADLINE if column in columns],
        "windows": [(stem, [f"{stem}_{window}" for window in windows]) for stem in stems] if windows else [],
    }
    size = shard_size(len(profiles))
    for number in range(ceil(len(profiles) / size)):
        part = profiles[number * size : (number + 1) * size]
        products: dict[Product, int] = {}
        people = [
            _customer(row, shown, liked, tags["of"].get(row["customer_id"], []), currency)
            | keywords.get(row["customer_id"], {})
            | stories.of(row, liked, shown["figures"], shown["declared"])
            | _ahead(picks.get(row["customer_id"]), scores.of.get(row["customer_id"]) if scores else None, products)
            | _next(begun.get(row["customer_id"]))
            for row in part
            for liked in (interests.get(row["customer_id"], []),)
        ]
        named = [[words.visible(product.name), words.visible(product.detail)] for product in products]
        _write(folder / f"{number:02d}.js", f"huaxiang.shard({number},", people, *([named] if named else []))
    index = _index(profiles, shown, tags, tables, size)
    index["known"] = list(KNOWN.values())
    index["tasks"] = items.titles() if items else []
    index["ahead"] = list(zip(scores.names, scores.means, strict=True)) if scores else []
    _write(folder / "index.js", "huaxiang.index(", index)
    return {"customers": len(profiles), "shards": ceil(len(profiles) / size), "segments": len(index["segments"])}


def _is_figure(column: str) -> bool:
    """Whether it stands in the table of all figures: windows have one of their own, an index is said by its tag."""
    return column not in _ELSEWHERE and not glossary.is_window(column) and not column.endswith("_index")


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
        "branches": tags["branches"],
        "tags": tags["names"],
    }


def _customer(
    row: Row, shown: dict[str, Any], interests: list[Row], tags: list[list[Any]], currency: str
) -> dict[str, Any]:
    def said(column: str) -> str:
        return glossary.say(column, row[column], currency)

    return {
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


def _next(begun: list[Start] | None) -> dict[str, Any]:
    """The categories that a customer may start next, and why the first one."""
    if not begun:
        return {}
    return {"starts": [", ".join(words.visible(one.category) for one in begun), words.visible(begun[0].reason)]}


def _interests(tables: BuildTables) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = defaultdict(list)
    if tables.has("customer_interests"):
        for row in tables.rows(
            "select customer_id, category, weight from customer_interests order by customer_id, rank"
        ):
            found[row["customer_id"]].append(row)
    return found


def _keywords(tables: BuildTables) -> dict[str, dict[str, str]]:
    """Each customer's keywords as one text; whoever has none carries nothing."""
    if not tables.has("customer_keywords"):
        return {}
    rows = tables.rows(
        "select customer_id, string_agg(word, ', ' order by rank) as said from customer_keywords group by customer_id"
    )
    return {row["customer_id"]: {"keywords": words.visible(row["said"])} for row in rows}


def _tags(tables: BuildTables) -> dict[str, Any]:
    """Each customer's tags as [number of the tag, value, confidence, evidence], in the order of the tree.

    Beside them each tag's name and source, and its title, description and branch.
    """
    if not tables.has("customer_tags"):
        return {"of": {}, "keys": [], "names": [], "branches": []}
    files = {tag.name: tag for tag in load_tags(tables.settings)}
    keys = [(row["tag"], row["source"]) for row in tables.rows("select distinct tag, source from customer_tags")]
    keys.sort(key=lambda key: (_place(files.get(key[0]), key[0]), key[1]))
    numbers = {key: number for number, key in enumerate(keys)}
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
    for rows in of.values():
        rows.sort(key=lambda row: row[0])
    branches = list(dict.fromkeys(_branch(files.get(name)) for name, _ in keys))
    return {
        "of": of,
        "keys": keys,
        "names": [[*_titled(name, files.get(name)), branches.index(_branch(files.get(name)))] for name, _ in keys],
        "branches": branches,
    }


def _place(tag: Tag | None, name: str) -> tuple[int, str, str]:
    """Sort key of a tag: its branch in the order of the tree, its twig, its name; those without a file last."""
    if tag is None:
        return len(TREE), "", name
    return TREE.index(tag.tree.split("/")[0]), tag.tree, name


def _branch(tag: Tag | None) -> str:
    return tag.tree.split("/")[0].capitalize() if tag else _ELSEWHERE_IN_TREE


def _titled(name: str, tag: Tag | None) -> tuple[str, str]:
    if tag is None:
        return words.visible(words.plain(name).capitalize()), ""
    return words.visible(tag.title), words.visible(tag.description)


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
