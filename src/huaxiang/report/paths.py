"""Visits, pages and what follows what, read from the build's tables: what the page of paths says."""

from __future__ import annotations

from dataclasses import dataclass

from huaxiang.report.tables import BuildTables, Row

SHOWN = 15  # rows of a table on the page; the released tables hold all


@dataclass(frozen=True)
class Visits:
    """Figures of all visitors. `depth` are (words, visitors, share), by the mean number of steps of a visit."""

    visitors: int
    visits: int
    visits_28d: int
    pages_seen: int
    steps_mean: float | None
    bounce_share: float | None
    dwell_seconds_mean: float | None
    depth: tuple[tuple[str, int, float], ...]


@dataclass(frozen=True)
class Sequences:
    """Frequent sequences, the most frequent first, and the next categories with how many customers they stand for."""

    frequent: tuple[Row, ...]
    of_sequences: int
    following: tuple[Row, ...]


def visits(tables: BuildTables) -> Visits | None:
    """None where the home has no events."""
    if not tables.has("customer_web_features"):
        return None
    [row] = tables.rows(
        """
        select
            count(*) as visitors,
            sum(session_count)::bigint as visits,
            sum(session_count_28d)::bigint as visits_28d,
            sum(session_steps_mean * session_count_364d) / nullif(sum(session_count_364d), 0) as steps_mean,
            sum(bounce_share * session_count_364d) / nullif(sum(session_count_364d), 0) as bounce_share,
            avg(dwell_seconds_mean) as dwell_seconds_mean
        from customer_web_features
        """
    )
    seen = "page_view_count" in tables.columns["customer_web_features"]
    [pages] = tables.rows(
        f"select {'sum(page_view_count)::bigint' if seen else 'max(0)'} as pages_seen from customer_web_features"
    )
    depth = tables.rows(
        """
        select
            case
                when session_steps_mean is null then 'not in the last 364 days'
                when session_steps_mean = 1 then '1 step'
                when session_steps_mean < 3 then 'up to 3 steps'
                when session_steps_mean < 10 then '3 to 10 steps'
                else '10 steps and more'
            end as words,
            count(*) as visitors,
            min(coalesce(session_steps_mean, 1e9)) as place
        from customer_web_features
        group by words
        order by place
        """
    )
    return Visits(
        **row,
        **pages,
        depth=tuple((one["words"], one["visitors"], one["visitors"] / row["visitors"]) for one in depth),
    )


def pages(tables: BuildTables) -> list[Row]:
    """The pages seen most, each with the shares of its views that began or ended a visit."""
    if not tables.has("web_pages"):
        return []
    return tables.rows(
        f"""
        select *, entry_count / view_count as entry_share, exit_count / view_count as exit_share,
            view_count / max(view_count) over () as of_most
        from web_pages
        order by view_count desc, page
        limit {SHOWN}
        """
    )


def moves(tables: BuildTables) -> list[Row]:
    """All released moves from a page to another one, the most frequent first; staying on a page says little."""
    if not tables.has("web_page_moves"):
        return []
    return tables.rows(
        """
        select * from web_page_moves
        where from_page <> to_page
        order by move_count desc, from_page, to_page
        """
    )


def sequences(tables: BuildTables) -> Sequences | None:
    """None where the family has not run."""
    if not tables.has("frequent_sequences"):
        return None
    frequent = tables.rows(f"select * from frequent_sequences order by sequence_count desc, sequence limit {SHOWN}")
    following = tables.rows(
        f"""
        select category, count(*) as customers, count(*) / sum(count(*)) over () as share,
            avg(probability) as probability
        from customer_next_categories
        where rank = 1
        group by category
        order by customers desc, category
        limit {SHOWN}
        """
    )
    return Sequences(tuple(frequent), frequent[0]["of_sequences"] if frequent else 0, tuple(following))
