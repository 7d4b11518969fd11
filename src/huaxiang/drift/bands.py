"""Distributions as shares of bands: the reference's deciles, and one band more for what has no value. By DuckDB."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from huaxiang.drift.stability import BANDS

if TYPE_CHECKING:
    import duckdb


def edges(connection: duckdb.DuckDBPyConnection, view: str, columns: Sequence[str]) -> dict[str, list[float]]:
    """Of each column its inner deciles, those that differ: the upper ends of all bands but the last."""
    if not columns:
        return {}
    parts = [place / BANDS for place in range(1, BANDS)]
    asked = ", ".join(f'quantile_disc("{name}"::double, {parts})' for name in columns)
    row = connection.execute(f"select {asked} from {view}").fetchall()[0]
    return {name: sorted(set(found or ())) for name, found in zip(columns, row, strict=True)}


def shares(
    connection: duckdb.DuckDBPyConnection, view: str, edges: dict[str, list[float]]
) -> dict[str, tuple[float, ...]]:
    """Of each column the share of rows in each band, ascending, and last the share without a value; sums to 1."""
    if not edges:
        return {}
    asked = []
    for name, ends in edges.items():
        asked += [f'count(*) filter (where "{name}"::double <= {end!r})' for end in ends]
        asked.append(f'count("{name}")')
    total, *row = connection.execute(f"select count(*), {', '.join(asked)} from {view}").fetchall()[0]
    found, counts = {}, iter(row)
    for name, ends in edges.items():
        up_to = [0, *(next(counts) for _ in range(len(ends) + 1))]
        in_bands = [after - before for before, after in pairwise(up_to)]
        found[name] = tuple(round(count / (total or 1), 6) for count in (*in_bands, total - up_to[-1]))
    return found
