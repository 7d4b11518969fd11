"""How far a candidate's tables differ from the champion's, and what no table of a model may hold."""

from __future__ import annotations

from pathlib import Path

# The table that tells of a family, or of one of its targets.
_TABLES = {
    "segments": "customer_segments",
    "scores": "customer_scores",
    "recommendations": "customer_items",
    "associations": "rules",
    "attributes": "customer_attributes",
    "lifestyle_factors": "customer_factors",
    "categories": "customer_new_categories",
    "sequences": "customer_next_categories",
    "vectors": "customer_vectors",
}
_VIEWS = ("before", "after")
# The rows of one target in its family's table.
_OF_TARGET = {
    "scores": "target = '{target}'",
    "recommendations": "task = '{task}'",
}
# The share on which both agree, in SQL over both views.
_AGREE = {
    "segments": (
        "of customers in the same segment",
        "select avg((a.segment_id = b.segment_id)::int) from after a join before b using (customer_id)",
    ),
    "scores": (
        "of the likeliest tenth the same",
        "select avg(b.is_top::int) from (select customer_id, category, {top} as is_top from after) a "
        "join (select customer_id, category, {top} as is_top from before) b using (customer_id, category) "
        "where a.is_top",
    ),
    "recommendations": (
        "of recommended products the same",
        "select avg((b.customer_id is not null)::int) from after a left join before b using (customer_id, product_id)",
    ),
    "categories": (
        "of recommended categories the same",
        "select avg((b.customer_id is not null)::int) from after a left join before b using (customer_id, category)",
    ),
}
_TOP = "percent_rank() over (partition by category order by probability desc, customer_id) < 0.1"
_LEAST_COVERED = 0.98  # of the champion's customers


def of(family: str, target: str, before: Path, after: Path) -> tuple[list[str], str]:
    """Faults of the tables in the folder `after`, and what has changed since `before`, in words."""
    import duckdb

    table = _TABLES.get(target) or _TABLES[family]
    name = f"{table}.parquet"
    if not (after / name).exists():
        return ([f"writes no {table}"] if (before / name).exists() else []), f"no {table}"
    if not (before / name).exists():
        return [], f"writes {table}, the champion none"
    condition = _OF_TARGET.get(family, "true").format(target=target, task=target.removeprefix("recommend_"))
    with duckdb.connect() as connection:
        for view, folder in (("before", before), ("after", after)):
            connection.read_parquet(str(folder / name)).filter(condition).create_view(view)
        columns = connection.view("after").columns
        unit = "customers" if "customer_id" in columns else "rows"
        counted = "count(distinct customer_id)" if unit == "customers" else "count(*)"
        (was,), (now,) = (connection.execute(f"select {counted} from {view}").fetchall()[0] for view in _VIEWS)
        faults = [f"covers {now:,} {unit}, the champion {was:,}"] if now < _LEAST_COVERED * was else []
        if "probability" in columns:
            [(odd,)] = connection.execute(
                "select count(*) from after where probability is null or not probability between 0 and 1"
            ).fetchall()
            faults += [f"{odd:,} probabilities are none"] if odd else []
        said = f"{now:,} {unit}, the champion {was:,}"
        if family in _AGREE:
            words, query = _AGREE[family]
            [(share,)] = connection.execute(query.format(top=_TOP)).fetchall()
            said += f"; {share or 0:.1%} {words}"
    return faults, said
