"""Export tables of the warehouse to Parquet, without the columns this home has no source for."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any, TypedDict

from huaxiang import families
from huaxiang.contracts import read_contract
from huaxiang.failpoints import reach
from huaxiang.features import columns as feature_columns
from huaxiang.files import replacing
from huaxiang.settings import Run, Settings
from huaxiang.tables import RELEASED
from huaxiang.tags import Tag, needs_of
from huaxiang.warehouse import state


class LeftOut(TypedDict):
    """What has no source in this home; each entry says what it would need."""

    columns: list[dict[str, Any]]
    tags: list[dict[str, Any]]
    tables: list[dict[str, Any]]


@dataclass(frozen=True)
class Sourced:
    """What this home has a source for: canonical tables (and model families), and columns that hold a value at all."""

    tables: frozenset[str]
    columns: frozenset[str] = frozenset()

    def met(self, needs: Iterable[str]) -> bool:
        """Whether all needs are there; a need is `table` or `table.column`."""
        return all(need in (self.columns if "." in need else self.tables) for need in needs)


@dataclass(frozen=True)
class Model:
    """A dbt model as its yml describes it: what the table and each column need."""

    name: str
    needs: tuple[str, ...]
    columns: dict[str, tuple[str, ...]]


def sourced(settings: Settings, run: Run, more_needs: Iterable[str] = (), tables_only: bool = False) -> Sourced:
    """What is there for this run: tables from the landing ledger, columns from staging."""
    from huaxiang.landing.ledger import landed_tables

    tables = frozenset(landed_tables(settings, run.known_at)) | frozenset(families.expected(settings, run))
    if tables_only:
        return Sourced(tables)
    models = read_models(settings).values()
    needs = {need for model in models for part in (model.needs, *model.columns.values()) for need in part} | set(
        more_needs
    )
    columns = sorted(need for need in needs if "." in need)
    with state.reading(settings) as connection:
        filled = [need for need in columns if _has_values(connection, settings, *need.split("."))]
    return Sourced(tables, frozenset(filled))


def export(
    settings: Settings, layer: str, table: str, folder: Path, known: Sourced, as_of: date | None = None, where: str = ""
) -> int | None:
    """Write `<folder>/<table>.parquet` ordered by key, all snapshot days or those of `as_of`, in one atomic step.

    `where` is a condition on the rows.

    Returns the number of rows, or None when the home has no source for the table; then there is no file.
    """
    model = read_models(settings)[table]
    path = folder / f"{table}.parquet"
    if not known.met(model.needs):
        path.unlink(missing_ok=True)
        return None
    key = next(released.key for released in RELEASED if released.name == table)
    columns = ", ".join(name for name, needs in model.columns.items() if known.met(needs))
    conditions = " and ".join(filter(None, (f"as_of = date '{as_of}'" if as_of else "", where)))
    where = f"where {conditions}" if conditions else ""
    with state.reading(settings) as connection:
        query = f"select {columns} from {layer}.{table} {where} order by as_of, {', '.join(key)}"
        reach(f"{layer}.before_table")
        return write_parquet(connection, query, path)


# What models learn from, besides customer_features: columns and order of each table.
_INPUTS = {
    "purchases": "order_id, customer_id, product_id, category, product_type, ordered_on",
    "customer_days": "customer_id, ordered_on, order_count, net_amount",
}

# What the steps of a customer are: the clicks of each visit, or, where the home has no events, the days with an order.
_VISITS = """
    select
        customer_id, session_id as sequence_id, step as position, occurred_on as happened_on,
        coalesce(category, page) as category
    from features.session_events
    where coalesce(category, page) is not null
"""
_ORDER_DAYS = """
    select distinct
        customer_id, '' as sequence_id, ordered_on - date '1970-01-01' as position, ordered_on as happened_on, category
    from features.purchases
    where category is not null
"""


def export_inputs(settings: Settings, run: Run, with_snapshots: bool = False) -> int:
    """Write what models read to `<build>/.inputs/`, in a fixed order; returns the rows of `snapshots.parquet`."""
    folder = settings.home.inputs(run.id)
    with state.reading(settings) as connection:
        if "sequences" in settings.models:
            steps = _VISITS if sourced(settings, run, tables_only=True).met(["events"]) else _ORDER_DAYS
            in_days = f"select * from ({steps}) where happened_on <= date '{run.as_of}' order by all"
            write_parquet(connection, in_days, folder / "steps.parquet")
        for table, columns in _INPUTS.items():
            of_days = f"select {columns} from features.{table} where ordered_on <= date '{run.as_of}' order by all"
            write_parquet(connection, of_days, folder / f"{table}.parquet")
        redeemed = f"""
            select customer_id, response_id, responded_on from staging.stg_responses
            where responded_on <= date '{run.as_of}' order by all
        """
        write_parquet(connection, redeemed, folder / "responses.parquet")
        suppressed = (
            f"select customer_id, product_id from staging.stg_suppressions where suppressed_on <= date '{run.as_of}' "
            "order by all"
        )
        write_parquet(connection, suppressed, folder / "suppressions.parquet")
        if settings.least_margin_share is not None:
            margins = (
                "select product_id, margin_share from staging.stg_products where margin_share is not null order by 1"
            )
            write_parquet(connection, margins, folder / "margins.parquet")
        declared = "select * from staging.stg_customers order by customer_id"
        write_parquet(connection, declared, folder / "declared.parquet")
        if not with_snapshots:
            return 0
        snapshots = "select * from features.customer_features order by as_of, customer_id"
        return write_parquet(connection, snapshots, folder / "snapshots.parquet")


def left_out(settings: Settings, known: Sourced, tables: Sequence[str], tags: Sequence[Tag]) -> LeftOut:
    """The tables, columns and tags that are missing from this run's export, each with the needs that are not met."""
    models = read_models(settings)
    missing: LeftOut = {"columns": [], "tags": [], "tables": []}
    for table in tables:
        model = models[table]
        if not known.met(model.needs):
            missing["tables"].append({"table": table, "needs": _unmet(known, model.needs)})
            continue
        for column, needs in model.columns.items():
            if not known.met(needs):
                missing["columns"].append({"table": table, "column": column, "needs": _unmet(known, needs)})
    for tag in tags:
        needs = needs_of(tag)
        if known.met(needs):
            continue
        missing["tags"].append({"tag": tag.name, "title": tag.title, "needs": _unmet(known, needs)})
    return missing


def read_models(settings: Settings) -> dict[str, Model]:
    """The models dbt parsed last, from its manifest; the columns of declared features from their declarations."""
    manifest = json.loads((settings.home.dbt_target / "manifest.json").read_text(encoding="utf-8"))
    nodes = (node for node in manifest["nodes"].values() if node["resource_type"] == "model")
    found = {
        node["name"]: Model(
            name=node["name"],
            needs=tuple(node["config"].get("meta", {}).get("needs", ())),
            columns={name: tuple(column.get("meta", {}).get("needs", ())) for name, column in node["columns"].items()},
        )
        for node in nodes
    }
    # its columns stand in features/*.yml, and nobody writes them down twice
    found["customer_event_features"].columns.update((one.name, one.needs) for one in feature_columns(settings))
    found["customer_profiles"] = _of_orders(
        found["customer_profiles"], found["customer_features"], found["customer_behaviour"]
    )
    return found


def _of_orders(profiles: Model, features: Model, behaviour: Model) -> Model:
    """The portrait's model where all that is said of orders needs them, as the features it comes from do."""
    of_interests = {"top_category", "top_category_weight"}
    of_orders = (features.columns.keys() | behaviour.columns.keys() | of_interests) - {"customer_id", "as_of"}
    columns = {
        name: (*(need for need in features.needs if need not in needs), *needs) if name in of_orders else needs
        for name, needs in profiles.columns.items()
    }
    return replace(profiles, columns=columns)


def write_parquet(connection: Any, query: str, path: Path) -> int:
    """Write the query's rows as Parquet in one atomic step; returns how many."""
    with replacing(path) as temporary:
        target = str(temporary).replace("'", "''")
        written = connection.execute(f"copy ({query}) to '{target}' (format parquet, compression zstd)").fetchall()
    return int(written[0][0])


def _has_values(connection: Any, settings: Settings, table: str, column: str) -> bool:
    """Whether a row says something; what the contract fills in for a source that is silent says nothing."""
    default = read_contract(settings.contracts_dir / f"{table}.yml").column(column).default
    value = f"nullif({column}, {default})" if default else column
    return bool(connection.execute(f"select count({value}) > 0 from staging.stg_{table}").fetchall()[0][0])


def _unmet(known: Sourced, needs: Sequence[str]) -> list[str]:
    return [need for need in needs if not known.met([need])]
