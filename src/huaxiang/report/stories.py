"""Every customer's sentences, and where on the customer's page the evidence of each lies."""

from __future__ import annotations

from collections import Counter
from typing import Any

from huaxiang.report import moves, words
from huaxiang.report.portrait import KNOWN, Person, story, unknown
from huaxiang.report.tables import BuildTables, Row
from huaxiang.tags import load_tags

_MOST_VALUES = 12  # a tag with more of them sets nobody apart
_INTERESTS = 3
# Evidence that is neither a figure nor a tag: the segment, the interests, what lies ahead, the products.
_ELSEWHERE = {"segment": "s", "interests": "i", "ahead": "a", "items": "p"}
_NUMBERS = {how: number for number, how in enumerate(KNOWN)}


class Stories:
    """The sentences of a build's customers, told against everybody's shares and means.

    `tags` is what the page holds of tags: `of` a customer, and the `keys` (name, source) and `names` of each number.
    """

    def __init__(self, tables: BuildTables, profiles: list[Row], tags: dict[str, Any], away_mean: float | None) -> None:
        self._tags, self._away_mean, self._currency = tags, away_mean, tables.settings.currency
        customers = len(profiles) or 1
        sizes = Counter(row["segment_id"] for row in profiles if row.get("segment_id") is not None)
        self._segments = {segment: size / customers for segment, size in sizes.items()}
        self._titles = {tag: title for (tag, _), (title, *_) in zip(tags["keys"], tags["names"], strict=True)}
        counted = Counter((tags["keys"][number][0], value) for of in tags["of"].values() for number, value, *_ in of)
        values = Counter(tag for tag, _ in counted)
        hidden = {tag.name for tag in load_tags(tables.settings) if getattr(tag, "personal_data", "") == "sensitive"}
        self._shares = {
            (tag, value): count / customers
            for (tag, value), count in counted.items()
            if values[tag] <= _MOST_VALUES and tag not in hidden
        }
        moved = moves.moves(tables) if tables.has("segment_moves") else []
        self._moved = {
            row["customer_id"]: moves.sentence(row, self._currency)
            for row in moved
            if row["from_segment"] is not None and row["to_segment"] is not None
        }

    def of(self, row: Row, interests: list[Row], figures: list[str], declared: list[str]) -> dict[str, Any]:
        """`story`: each sentence as [text, number of how it is known, where its evidence lies]; `unknown`, if anything.

        Evidence lies in what the page holds of the customer anyway: `f3` is the figure 3, `t2` the customer's tag 2,
        `d1` what is declared 1; see `_ELSEWHERE` for the rest.
        """
        keys = self._tags["keys"]
        own = self._tags["of"].get(row["customer_id"], [])
        person = Person(
            row={name: value for name, value in row.items() if name != "spend_rank"},
            interests=tuple(interest["category"] for interest in interests[:_INTERESTS]),
            tags={keys[number][0]: (value, keys[number][1]) for number, value, *_ in own},
            shares=self._shares,
            titles=self._titles,
            spend_rank=row["spend_rank"],
            segment_share=self._segments.get(row.get("segment_id") or 0),
            move=self._moved.get(row["customer_id"], ""),
            away_mean=self._away_mean,
        )
        places = {f"tag:{keys[number][0]}": f"t{place}" for place, (number, *_) in enumerate(own)}
        places |= {name: f"f{place}" for place, name in enumerate(figures)}
        places |= {name: f"d{place}" for place, name in enumerate(declared)} | _ELSEWHERE
        said = [
            [one.text, _NUMBERS[one.how], " ".join(places[name] for name in one.evidence if name in places)]
            for one in story(person, self._currency)
        ]
        missing = unknown(person)
        return {"story": said} | ({"unknown": words.visible("; ".join(missing))} if missing else {})
