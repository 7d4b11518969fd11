"""What recognising people leaves behind: the log of links, and how many customers changed their id.

The log is added to and never rewritten: a link that is no longer there stays in it. It is kept to be read by people;
no run depends on it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from huaxiang.expressions import literal
from huaxiang.files import replacing, write_text
from huaxiang.identity.people import Id, Link
from huaxiang.settings import Run
from huaxiang.tables import Home

_KEPT_KEYS = 8  # days of keys that are kept to compare the next day with


def add_links(home: Home, run: Run, links: Sequence[Link]) -> int:
    """Append the links that the log does not have yet, one file per run that found any; returns how many.

    A link is one of two customers, kind, evidence and model; its confidence is that of the day it was found.
    """
    import pyarrow.parquet as pq

    folder = home.identity / "links"
    files = sorted(folder.glob("[0-9]*.parquet"))
    had = set()
    for path in files:
        columns = pq.ParquetFile(path).read(
            columns=["left_source", "left_id", "right_source", "right_id", "evidence", "model"]
        )
        had |= set(zip(*columns.to_pydict().values(), strict=True))
    new = [
        link
        for link in links
        if (link.left.source, link.left.id, link.right.source, link.right.id, link.evidence, link.model) not in had
    ]
    if new:
        number = int(files[-1].stem) + 1 if files else 1
        write_links(folder / f"{number:06d}.parquet", new, run)
    return len(new)


def write_links(path: Path, links: Iterable[Link], run: Run) -> None:
    """Write links as Parquet, one row each, in the order of their ends."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = sorted(links, key=lambda link: (link.left, link.right, link.kind, link.evidence))
    text, day = pa.string(), pa.date32()
    columns = {
        "left_source": ([link.left.source for link in rows], text),
        "left_id": ([link.left.id for link in rows], text),
        "right_source": ([link.right.source for link in rows], text),
        "right_id": ([link.right.id for link in rows], text),
        "kind": ([link.kind for link in rows], text),
        "evidence": ([link.evidence for link in rows], text),
        "confidence": ([link.confidence for link in rows], pa.float64()),
        "first_seen": ([link.first_seen for link in rows], day),
        "joins": ([link.joins for link in rows], pa.bool_()),
        "model": ([link.model for link in rows], text),
        "found_on": ([run.known_at] * len(rows), day),
    }
    table = pa.table({name: pa.array(values, kind) for name, (values, kind) in columns.items()})
    with replacing(path) as temporary:
        pq.write_table(table, temporary)


def read_links(path: Path) -> list[Link]:
    """The links of a file, as they were written."""
    import pyarrow.parquet as pq

    return [
        Link(
            Id(row["left_source"], row["left_id"]), Id(row["right_source"], row["right_id"]), row["kind"],
            row["evidence"], row["confidence"], row["first_seen"], row["joins"], row["model"],
        )
        for row in pq.ParquetFile(path).read().to_pylist()
    ]  # fmt: skip


def write_keys(path: Path, keys: Mapping[Id, tuple[str, float]]) -> None:
    """Write which person each customer of a source is, by source and id."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = sorted(keys)
    table = pa.table(
        {
            "source_name": pa.array([one.source for one in rows], pa.string()),
            "source_customer_id": pa.array([one.id for one in rows], pa.string()),
            "customer_id": pa.array([keys[one][0] for one in rows], pa.string()),
            "confidence": pa.array([keys[one][1] for one in rows], pa.float64()),
        }
    )
    with replacing(path) as temporary:
        pq.write_table(table, temporary)


def churn(home: Home, run: Run, keys: Path) -> dict[str, Any] | None:
    """How many customers have another id than in the newest run known at an earlier day; None for the first.

    Keeps this run's keys for the next day and the figures in `identity/churn/`. The same run again says the same.
    """
    import duckdb

    folder = home.identity / "keys"
    own = folder / f"{run.known_at}.parquet"
    before = [path for path in sorted(folder.glob("*.parquet")) if path.stem < own.stem]
    with replacing(own) as temporary:
        temporary.write_bytes(keys.read_bytes())
    found = None
    if before:
        with duckdb.connect() as connection:
            same, changed = connection.execute(
                "select count(*), count(*) filter (old.customer_id <> new.customer_id)"
                f" from read_parquet({literal(str(before[-1]))}) as old"
                f" inner join read_parquet({literal(str(own))}) as new using (source_name, source_customer_id)"
            ).fetchall()[0]
        found = {
            "known_at": str(run.known_at), "since": before[-1].stem, "ids": same, "changed": changed,
            "share": round(changed / same, 6) if same else 0.0,
        }  # fmt: skip
        write_text(home.identity / "churn" / f"{run.known_at}.json", json.dumps(found) + "\n")
    for path in before[:-_KEPT_KEYS]:
        path.unlink()
    return found
