"""The answer to a why for a terminal, and every row of it as CSV."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from huaxiang.report import glossary, words
from huaxiang.why.behind import SOURCES
from huaxiang.why.model import ModelReason
from huaxiang.why.otherwise import Change
from huaxiang.why.trace import Counted, Why

SHOWN = 20
_PARTS = 8


def as_text(found: Why, reasons: Sequence[tuple[ModelReason, tuple[Change, ...] | None]], currency: str) -> str:
    """What is said, what it rests on, and the rows or the model behind it, with what would make it say otherwise."""
    parts = [
        _head(found),
        "\n".join(_columns(found, currency)),
        *("\n".join([*_model(one), *_changes(asked, currency)]) for one, asked in reasons),
        "\n".join(_rows(found)),
    ]
    return "\n\n".join(part for part in parts if part)


def write_rows(rows: Sequence[Counted], path: Path) -> None:
    """Every row with its drop, record and line, readable by the owner alone: it says what a customer did."""
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["table", "source", "file", "record", "line", "day", "counted", "columns"])
        for row in rows:
            where = (row.table, row.source, row.file_name, row.record, row.line or "", row.day or "")
            writer.writerow([*where, _told(row), " ".join(row.columns)])


def _head(found: Why) -> str:
    tag = found.tag
    where = f"release {found.release_id}" if found.release_id else "the build under way, which is not released"
    value = "does not apply" if found.value is None else f"is '{words.visible(found.value)}'"
    lines = [
        f"customer {words.visible(found.customer_id)}: {tag.title} ({tag.name}, a {tag.kind}, version {tag.version})"
        f" {value}",
        f"as of {found.run.as_of}, known at {found.run.known_at}: {where}",
    ]
    if found.evidence:
        sure = "" if found.confidence in (None, 1.0) else f" (confidence {words.number(found.confidence, 3)})"
        lines.append(f"evidence: {words.visible(found.evidence)}{sure}")
    if not found.is_same_rule:
        lines.append("the tag's file has changed since that day: its rule, asked again, says something else")
    lines.append(f"rule: {' '.join(tag.value.split())}" if tag.value else "said by a person")
    return "\n".join(lines)


def _columns(found: Why, currency: str) -> Iterator[str]:
    if not found.columns:
        return
    yield "it reads"
    width = max(len(column.name) for column in found.columns)
    for column in found.columns:
        value = glossary.say(column.name, column.value, currency)
        notes = []
        if column.behind.compares:
            notes.append("depends on the other customers as well: the rows below are this customer's own")
        if column.behind.model:
            notes.append(f"said by the model {column.behind.model}")
        if not (column.behind.rows or column.behind.model) and column.name not in ("customer_id", "as_of"):
            notes.append("its declaration does not say from which rows")
        yield f"  {column.name:<{width}}  {value}" + (f"  ({'; '.join(notes)})" if notes else "")


def _model(found: ModelReason) -> Iterator[str]:
    recipe = f", recipe {found.recipe}" if found.recipe else ""
    yield (
        f"model {found.target} version {found.version}{recipe}, trained on {found.training_as_of}, fingerprint"
        f" {found.fingerprint}, MLflow run {found.run_id}"
    )
    if found.said:
        yield f"  {words.visible(found.said)}"
    if not found.is_same:
        yield "  asked again it answers otherwise than the portrait: the figures or the code have changed since"
    if not found.parts:
        return
    if found.unit == "logit":
        yield f"  what each figure adds to the logit, from {found.base:+.3f} (all typical) to {found.total:+.3f};"
        yield "  alone: what would go if only that figure were typical"
    else:
        yield f"  how much nearer each figure is to this segment than to the next: {found.total:+.3f} in {found.unit}"
    for part in found.parts[:_PARTS]:
        usual = "" if part.typical is None else f", typical {words.number(part.typical, 2)}"
        alone = "" if part.alone is None else f"  alone {part.alone:+.3f}"
        value = "unknown" if part.value is None else words.number(part.value, 2)
        yield f"  {part.adds:+.3f}{alone}  {part.name} {value}{usual}"
    rest = found.parts[_PARTS:]
    if rest:
        yield f"  {sum(part.adds for part in rest):+.3f}  {len(rest)} other figures together"
    yield f"  they add up but for {found.additivity_error:.0e}"


def _changes(asked: tuple[Change, ...] | None, currency: str) -> Iterator[str]:
    if asked is None:
        return
    if not asked:
        yield "  no single figure, set to what other customers have, would make it say something else"
        return
    yield "  it would say something else with one of these as other customers have it, and all else as it is"
    for one in asked:
        to, now = (glossary.say(one.name, _whole(value), currency) for value in (one.to, one.now))
        value = "nothing" if one.value is None else f"'{words.visible(one.value)}'"
        yield f"  {value}: {glossary.term(one.name).label.lower()} {to} in place of {now}"


def _whole(value: float | None) -> float | int | None:
    return int(value) if value is not None and value.is_integer() else value


def _rows(found: Why) -> Iterator[str]:
    if not found.rows:
        return
    counts = Counter(row.table for row in found.rows)
    for table, count in sorted(counts.items()):
        files = len({row.file_id for row in found.rows if row.table == table})
        days = [row.day for row in found.rows if row.table == table and row.day]
        span = f", {min(days)} to {max(days)}" if days else ""
        yield f"{SOURCES[table].said}: {words.plural(count, 'row')} of {words.plural(files, 'drop')}{span}"
    yield "the newest first; what counted, and for which columns" if len(found.rows) > 1 else "what counted"
    for row in found.rows[:SHOWN]:
        place = f"record {row.record}" + (f", line {row.line}" if row.line else "")
        day = f"  {row.day}" if row.day else ""
        told = f"  {_told(row)}" if row.told else ""
        yield f"  {words.visible(row.file_name)} {place}{day}{told}  [{', '.join(row.columns)}]"
    if len(found.rows) > SHOWN:
        yield f"  and {len(found.rows) - SHOWN:,} more: --rows FILE writes them all"


def _told(row: Counted) -> str:
    return ", ".join(f"{words.plain(name)} {words.visible(str(value))}" for name, value in row.told.items())
