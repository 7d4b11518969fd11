"""What tag files, and people by now, would say of the customers of a release, computed from its sealed Parquet."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from huaxiang.files import replacing
from huaxiang.settings import Run, Settings
from huaxiang.tags.columns import tag_columns
from huaxiang.tags.compiling import manual_rows, tag_rows
from huaxiang.tags.order import in_reading_order, with_all_read
from huaxiang.tags.proof import broken_promises
from huaxiang.tags.reading import MANUAL_TABLE
from huaxiang.tags.statements import last_statements
from huaxiang.tags.tag import Tag, column_of, in_force

if TYPE_CHECKING:
    import duckdb

    from huaxiang.release.store import Release


@dataclass(frozen=True)
class Change:
    """So many customers whose value of a tag goes from one to another; None is 'has none'."""

    tag: str
    before: str | None
    after: str | None
    customers: int


@dataclass(frozen=True)
class Difference:
    """What publishing the tag files would change in a release, most customers first within a tag.

    customers: how many different customers. broken: promises of the tag files that would not hold. not_comparable: tags
    that read a column which the release does not hold, so that only the next run can tell.
    """

    release_id: str
    changes: tuple[Change, ...]
    customers: int
    broken: tuple[str, ...]
    not_comparable: tuple[str, ...]


def difference(
    settings: Settings, release: Release, tags: Sequence[Tag], only: Collection[str] = (), out: Path | None = None
) -> Difference:
    """Compare the tag files with the release: which customers' values would change, were its day built anew with them.

    Tags that people give are those of all statements that are known by the release's day now, later ones included.
    `only` narrows it to these tags. With `out` the customers are written there, a row per customer and tag with the
    value before and after, as CSV or as Parquet by its ending.
    """
    valid = in_force(tags, release.as_of)
    manual = [tag for tag in valid if tag.kind == "manual" and (not only or tag.name in only)]
    statements = last_statements(settings, Run(release.as_of, release.known_at)) if manual else None
    unmet = unmet_tags(release, valid, {MANUAL_TABLE} if statements is not None else set())
    with portraits(settings, release) as connection:
        readable = readable_tags(connection, valid)
        unreadable = {tag.name for tag in valid if tag.kind != "manual"} - {tag.name for tag in readable} - unmet
        sourced = [tag for tag in readable if tag.name not in unmet]
        rows = f"select customer_id, tag, value from ({tag_rows(sourced, 'profiles')})"
        if statements is not None:
            connection.register("statements", statements)
            said = [tag for tag in manual if tag.name not in unmet]
            sourced += said
            rows += f" union all select customer_id, tag, value from ({manual_rows(said, 'profiles', 'statements')})"
        connection.execute(f"create temp table after_rows as select * from ({rows}) where value is not null")
        released = str(release.path / "profiles" / "customer_tags.parquet")
        connection.read_parquet(released).create_view("released_rows")
        connection.execute(
            "create temp table changes as"
            " select customer_id, tag, before_rows.value as before, after_rows.value as after"
            " from (select customer_id, tag, value from released_rows where not list_contains($1, tag)) as before_rows"
            " full join after_rows using (customer_id, tag)"
            " where before_rows.value is distinct from after_rows.value"
            " and ($2 = [] or list_contains($2, tag))",
            [sorted(unreadable), sorted(only)],
        )
        counted = connection.execute(
            "select tag, before, after, count(*) as customers from changes group by all"
            " order by tag, customers desc, before nulls first, after nulls first"
        ).fetchall()
        customers = connection.execute("select count(distinct customer_id) from changes").fetchall()[0][0]
        everybody = connection.execute("select count(*) from profiles").fetchall()[0][0]
        broken = broken_promises(connection, sourced, "after_rows", everybody)
        if out:
            _write(connection, out)
    return Difference(
        release.id,
        tuple(Change(*row) for row in counted),
        customers,
        tuple(broken),
        tuple(sorted(unreadable & set(only) if only else unreadable)),
    )


@contextmanager
def portraits(settings: Settings, release: Release) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection with the view `profiles`: the release's portraits with the columns a tag can read.

    A column that the release left out for want of a source is null for everybody; one that it did not know is missing.
    """
    import duckdb

    with duckdb.connect(config={"autoinstall_known_extensions": "false"}) as connection:
        connection.execute("set timezone = 'UTC'")
        found = connection.read_parquet(str(release.path / "profiles" / "customer_profiles.parquet"))
        declared = release.path / "features" / "customer_event_features.parquet"
        if declared.exists():
            found = found.join(connection.read_parquet(str(declared)), "customer_id, as_of", how="left")
        found.create_view("released")
        left_out = {entry["column"] for entry in (release.manifest.get("left_out") or {}).get("columns", ())}
        columns = ", ".join(
            f'"{one.name}"' if one.name in found.columns else f'cast(null as {one.type}) as "{one.name}"'
            for one in tag_columns(settings)
            if one.name in found.columns or one.name in left_out
        )
        connection.execute(f"create view profiles as select {columns} from released")
        yield connection


def readable_tags(connection: duckdb.DuckDBPyConnection, tags: Sequence[Tag]) -> list[Tag]:
    """Those of the tags that `profiles` has all columns for, in reading order; manual tags are none of them."""
    import duckdb

    found: dict[str, Tag] = {}
    for tag in in_reading_order(tags):
        if tag.kind == "manual" or not set(tag.reads) <= set(found):
            continue
        read = "".join(f", cast(null as varchar) as {column_of(name)}" for name in tag.reads)
        try:
            connection.execute(
                f"describe select {tag.value}, {tag.evidence}, {tag.confidence} from (select *{read} from profiles)"
            )
        except duckdb.BinderException:
            continue
        found[tag.name] = tag
    return list(found.values())


def rows_of(tag: Tag, tags: Sequence[Tag]) -> str:
    """The query of one tag over `profiles`; those that it reads are computed on the way."""
    return f"select * from ({tag_rows(with_all_read(tag, tags), 'profiles')}) where tag = '{tag.name}'"


def unmet_tags(release: Release, tags: Sequence[Tag], met_since: Collection[str] = ()) -> set[str]:
    """The tags that the release's home had no source for, `met_since` aside."""
    left_out = release.manifest.get("left_out") or {}
    unmet = {
        need for kind in ("columns", "tags", "tables") for entry in left_out.get(kind, ()) for need in entry["needs"]
    }
    return {tag.name for tag in tags if unmet.difference(met_since) & set(tag.needs)}


def _write(connection: duckdb.DuckDBPyConnection, out: Path) -> None:
    kind = "parquet" if out.suffix == ".parquet" else "csv, header"
    with replacing(out) as temporary:
        target = str(temporary).replace("'", "''")
        connection.execute(f"copy (select * from changes order by tag, customer_id) to '{target}' (format {kind})")
