"""Everybody who came to look, in figures, and that the portraits of persons add up to them."""

from __future__ import annotations

from huaxiang.errors import BrokenConservation
from huaxiang.report import words
from huaxiang.report.paths import Visits, visits
from huaxiang.report.tables import BuildTables

# Of paths.Visits, with what a portrait holds of it; pages are known where events name them.
FIGURES = {"visitors": "count(session_count)", "visits": "sum(session_count)", "pages_seen": "sum(page_view_count)"}


def visitors(tables: BuildTables) -> tuple[Visits, dict[str, tuple[int, int]]] | None:
    """Everybody's figures from the features of visits, and each of FIGURES with its sum over portraits and everybody's.

    None where the home has no events. Raises BrokenConservation naming the first figure that does not add up.
    """
    everybody = visits(tables)
    if everybody is None:
        return None
    there = {name: said for name, said in FIGURES.items() if name != "pages_seen" or has_pages(tables)}
    [persons] = tables.rows(
        f"select {', '.join(f'coalesce({said}, 0)::bigint as {name}' for name, said in there.items())}"
        " from customer_profiles"
    )
    sums = {name: (int(persons[name]), int(getattr(everybody, name))) for name in there}
    for name, (of_persons, of_everybody) in sums.items():
        if of_persons != of_everybody:
            raise BrokenConservation(
                f"profiles/customer_profiles.parquet: {words.plain(name)} of all persons are {of_persons:,}, of "
                f"everybody {of_everybody:,}; run 'huaxiang profiles --as-of {tables.run.as_of}' again"
            )
    return everybody, sums


def has_pages(tables: BuildTables) -> bool:
    """Whether the home's events name a page."""
    return tables.has("customer_web_features", "page_view_count")
