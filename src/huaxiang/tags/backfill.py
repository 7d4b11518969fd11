"""Compute a tag over past releases that did not have it, into a side table: sealed releases stay as they are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from huaxiang.errors import HuaxiangError
from huaxiang.files import replacing
from huaxiang.settings import Settings
from huaxiang.tags.order import with_all_read
from huaxiang.tags.preview import portraits, readable_tags, rows_of, unmet_tags
from huaxiang.tags.tag import Tag

if TYPE_CHECKING:
    from huaxiang.release.store import Release


def backfill(settings: Settings, tag: Tag, tags: Sequence[Tag], releases: Iterable[Release]) -> tuple[Path, int, int]:
    """Write `<home>/tags/backfilled/<tag>.v<version>.parquet`: one row per release and customer with a value.

    Columns: release_id, customer_id, as_of, tag, version, value, confidence, evidence. Returns the file, how many
    releases it covers, and how many rows. A release without a source or a column for the tag is passed over.
    Raises HuaxiangError for a manual tag and when no release can be used.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    if tag.kind == "manual":
        raise HuaxiangError(
            f"{tag.name}: people give its values, each with a day of its own: there is no rule to apply"
        )
    parts: list[pa.Table] = []
    for release in releases:
        if tag.name in unmet_tags(release, tags):
            continue
        with portraits(settings, release) as connection:
            if tag not in readable_tags(connection, with_all_read(tag, tags)):
                continue
            rows = connection.execute(
                f"select '{release.id}' as release_id, customer_id, as_of, tag, {tag.version}::int as version, value,"
                f" confidence, evidence from ({rows_of(tag, tags)}) where value is not null order by customer_id"
            )
            parts.append(rows.to_arrow_table())
    if not parts:
        raise HuaxiangError(f"{tag.name}: no release of those days can be used; 'huaxiang releases list' shows them")
    whole = pa.concat_tables(parts)
    path = settings.home.tags_backfilled / f"{tag.name}.v{tag.version}.parquet"
    with replacing(path) as temporary:
        pq.write_table(whole, temporary, compression="zstd")
    return path, len(parts), whole.num_rows
