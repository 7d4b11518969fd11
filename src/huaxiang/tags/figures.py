"""What can be counted of every tag on a day: whom it says something of, what, how sure, how much has changed."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from huaxiang.files import write_text
from huaxiang.judging.cards import Card, cards
from huaxiang.tags.tag import Tag

FILE = "profiles/tags.json"
_MOST_VALUES = 12


@dataclass(frozen=True)
class TagFigures:
    """Figures of one tag in one run.

    coverage: share of customers with a value. values: (value, customers), the most frequent first, at most 12;
    other_values: how many more there are. changed: share of the customers of both this release and the one before
    whose value is another one (none counts as one); None without one before, or where it did not know the tag.
    rests_on: the oldest day a value rests on: a model's training day, else the run's day. gain: by how much the model
    behind the tag is better than its baseline in the figure `judged_by`, as its card in the build says, with its 95 %
    interval where the card has one; None of other tags.
    """

    name: str
    version: int
    rule_hash: str
    customers: int
    coverage: float
    confidence: float | None
    values: tuple[tuple[str, int], ...]
    other_values: int
    changed: float | None
    rests_on: date
    is_stale: bool
    gain: float | None = None
    gain_low: float | None = None
    gain_high: float | None = None


def of_build(build: Path, tags: Sequence[Tag], as_of: date, before: Path | None) -> list[TagFigures]:
    """Figures from the build's Parquet and that of the release before (its folder), a tag after the other."""
    import duckdb

    with duckdb.connect() as connection:
        _view(connection, "tag_rows", build / "profiles" / "customer_tags.parquet")
        _view(connection, "customers", build / "profiles" / "customer_profiles.parquet")
        customers = connection.execute("select count(*) from customers").fetchall()[0][0]
        changed = _changed(connection, before) if before else {}
        sure = dict(connection.execute("select tag, avg(confidence) from tag_rows group by tag").fetchall())
        counted: dict[str, list[tuple[str, int]]] = {}
        for tag, value, rows in connection.execute(
            "select tag, value, count(*) as rows from tag_rows group by tag, value order by tag, rows desc, value"
        ).fetchall():
            counted.setdefault(tag, []).append((value, rows))
    found, said = [], cards(build)
    for tag in tags:
        values = counted.get(tag.name, [])
        held = sum(rows for _, rows in values)
        rests_on = _rests_on(said, tag, as_of)
        found.append(
            TagFigures(
                name=tag.name,
                version=tag.version,
                rule_hash=tag.rule_hash,
                customers=held,
                coverage=round(held / customers, 6) if customers else 0.0,
                confidence=round(sure[tag.name], 6) if tag.name in sure else None,
                values=tuple(values[:_MOST_VALUES]),
                other_values=max(0, len(values) - _MOST_VALUES),
                changed=changed.get(tag.name),
                rests_on=rests_on,
                is_stale=as_of > rests_on + timedelta(days=tag.ttl_days),
                **_gain(said, tag),
            )
        )
    return found


def write(build: Path, figures: Iterable[TagFigures], tags: Iterable[Tag]) -> None:
    """Keep the figures, with the text of each tag's file, as `profiles/tags.json` of the build."""
    texts = {tag.name: tag.declaration.path.read_text(encoding="utf-8") for tag in tags if tag.declaration}
    said = [{**vars(one), "rests_on": str(one.rests_on), "text": texts.get(one.name, "")} for one in figures]
    write_text(build / FILE, json.dumps(said, indent=1) + "\n")


def _view(connection: Any, name: str, path: Path) -> None:
    connection.read_parquet(str(path)).create_view(name)


def _changed(connection: Any, before: Path) -> dict[str, float]:
    """Per tag that the release before knew: the share of customers of both whose value is another one."""
    profiles, rows = before / "profiles" / "customer_profiles.parquet", before / "profiles" / "customer_tags.parquet"
    if not (profiles.exists() and rows.exists()):
        return {}
    _view(connection, "tag_rows_before", rows)
    _view(connection, "customers_before", profiles)
    return dict(
        connection.execute(
            """
            with
            shared as (
                select customer_id from customers inner join customers_before using (customer_id)
            ),
            now as (select * from tag_rows where customer_id in (select customer_id from shared)),
            earlier as (select * from tag_rows_before where customer_id in (select customer_id from shared))
            select
                tag,
                round(count(*) filter (now.value is distinct from earlier.value) / (select count(*) from shared), 6)
            from now
            full join earlier using (customer_id, tag)
            where tag in (select tag from tag_rows_before)
            group by tag
            """
        ).fetchall()
    )


def _gain(cards: Sequence[Card], tag: Tag) -> dict[str, float]:
    """The paired difference where the card has it, else the bare one, which has no interval."""
    model, _, measure = tag.judged_by.partition(".")
    figures = next((card.said.get("metrics") or {} for card in cards if card.said.get("model") == model), {})
    if f"{measure}_gain" in figures:
        ends = {f"gain{end}": figures.get(f"{measure}_gain{end}") for end in ("", "_low", "_high")}
        return {name: round(value, 6) for name, value in ends.items() if value is not None}
    ours, baseline = figures.get(measure), figures.get(f"baseline_{measure}")
    return {} if ours is None or baseline is None else {"gain": round(ours - baseline, 6)}


def _rests_on(cards: Sequence[Card], tag: Tag, as_of: date) -> date:
    """A model's output is as old as what the models that the tag needs have learned from."""
    days = [card.said.get("training_as_of") for card in cards if tag.kind == "model" and card.family in tag.needs]
    return min((date.fromisoformat(day) for day in days if day), default=as_of)
