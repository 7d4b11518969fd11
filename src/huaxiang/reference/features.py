"""docs/reference/features.md: the declared features, what they can be declared over, and what can be said of events."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from huaxiang.features import EventTable, Feature, load_events, load_features
from huaxiang.features.aggregations import AGGREGATIONS
from huaxiang.reference import markdown
from huaxiang.settings import load_settings


def page(project: Path) -> str:
    features = load_features(replace(load_settings(), project=project))
    events = load_events(project)
    lines = markdown.header("Features", "`features/*.yml` and `dbt_project/models/features/event_*.yml`")
    columns = sum(len(feature.columns) for feature in features)
    lines += [
        f"{len(features)} declared features, one file each, give {columns} columns of `customer_event_features`.",
        "How to write one: [add a feature](../how-to/add-a-feature.md). The hand-written ones are the columns of",
        "[`customer_features`](tables.md#customer_features).",
        "",
        "- [Declared](#declared): what each says.",
        "- [Event tables](#event-tables): what can be declared over.",
        "- [Aggregations](#aggregations): what can be said of the events in a window.",
        "",
        "## Declared",
        "",
        *markdown.table(["Feature", "Says", "Of", "Type", "Owner", "Needs"], map(_row, features)),
        "## Event tables",
        "",
        "`where` and `column` name columns of one of these: each is a dbt view, `event_` and its name.",
        "",
    ]
    for event in events.values():
        lines += _event(event)
    lines += [
        "## Aggregations",
        "",
        *markdown.table(["Aggregation", "Is", "Column", "Without events"], _aggregations()),
    ]
    return markdown.page(lines)


def _row(feature: Feature) -> tuple[str, ...]:
    said = " ".join(part for part in (feature.aggregation, f"of {feature.column}" if feature.column else "") if part)
    where = f" where {markdown.code(feature.where)}" if feature.where else ""
    return (
        markdown.codes(feature.columns.values()),
        markdown.sentence(feature.description),
        f"{said}, {feature.event}{where}",
        feature.type.replace("varchar", "string"),
        feature.owner,
        markdown.codes(feature.needs),
    )


def _event(event: EventTable) -> list[str]:
    rows = [
        (markdown.code(one.name), one.type.replace("varchar", "string"), one.description, markdown.codes(one.needs))
        for one in event.columns.values()
    ]
    return [
        f"### {event.name}",
        "",
        f"{event.description} Needs {markdown.codes(event.needs)}.",
        "",
        *markdown.table(["Column", "Type", "Meaning", "Needs"], rows),
    ]


def _aggregations() -> Iterable[tuple[str, ...]]:
    for one in AGGREGATIONS.values():
        fill = "0" if one.fills == 0 else "null"
        yield markdown.code(one.name), one.meaning, {"must": "yes", "may": "if wanted", "none": "no"}[one.column], fill
