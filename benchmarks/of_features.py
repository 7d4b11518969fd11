"""Pairs of declared features: beside the bare scan of what they read, of a long beside a short history, and compiling.

They are measured in CPU seconds on the SQL that dbt compiled, in a database of ten times the home's customers and a
year of their days: the home's own days, once more for each span of time before them.
"""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path

import duckdb
import yaml

from benchmarks import home
from benchmarks.pair import Pair, Side
from huaxiang import warehouse
from huaxiang.features import load_features, plan
from huaxiang.settings import Run, Settings
from huaxiang.tags.loading import read_tags
from huaxiang.warehouse import dbt, state

YEAR, THIRD = 360, 120
_DATED = {
    "stg_order_lines": ("order_line_id", "order_id", "ordered_on", "ordered_at"),
    "stg_orders": ("order_id", "ordered_on", "ordered_at"),
    "stg_sends": ("sent_on",),
    "stg_responses": ("response_id", "responded_on"),
}
_PLAIN = ("staging.stg_events", "staging.stg_products", "staging.stg_campaigns", "features.snapshot_days")
_EVENTS = ("event_order_lines", "event_orders", "event_sends", "event_responses", "event_web_events")


@dataclass(frozen=True)
class Enlarged:
    """The database, and the compiled SQL of the models in it."""

    connection: duckdb.DuckDBPyConnection
    sql: dict[str, str]
    as_of: date

    def run(self, model: str) -> None:
        """The model's rows, made and thrown away."""
        self.connection.execute(f"create or replace temp table made as {self.sql[model]}")


def pairs(settings: Settings, run: Run, size: home.Size, folder: Path) -> list[Pair]:
    """All pairs of this file; the home's features are built."""
    sql = {"all": _compiled(settings, run, load_features(settings))}
    merging = tuple(one for one in load_features(settings) if one.merges)
    sql["merged"] = _compiled(settings, run, merging)
    year, third = (_enlarge(settings, run, sql["all"], folder / f"of_{days}", 10, days) for days in (YEAR, THIRD))
    year.sql["merged"] = sql["merged"]["customer_event_features"]
    measures = [measure["name"] for measure in plan(merging)["measures"]]
    sums = ", ".join(f"max({name})" for name in measures)
    bare_days = f"select {sums} from features.customer_event_days"
    events = "max(net_amount), max(department), max(category), max(discount_amount), max(ordered_on), max(is_return)"
    bare_events = (
        f"select {events}, max(product_id), max(coupon_amount), max(store_id), max(manufacturer_id),"
        " max(is_private_label) from staging.stg_order_lines left join staging.stg_products using (product_id)"
    )

    def scan(*queries: str) -> None:
        for query in queries:
            year.connection.execute(query).fetchall()

    def whole() -> None:
        for model in ("customer_event_features", "customer_categories", "customer_interests"):
            year.run(model)

    def day(database: Enlarged) -> None:
        database.run("increment")
        database.run("customer_event_features")

    def side(name: str, work: object) -> Side:
        return Side(name, work)  # type: ignore[arg-type]

    def pair(name: str, ours: Side, reference: Side, meaning: str) -> Pair:
        return Pair(name, ours, reference, meaning, size.repeats, warm_up=True, clock=time.process_time)

    count = len(plan(merging)["columns"])
    return [
        pair(
            "merged",
            side(f"{count} mergeable columns, ten times the data", lambda: year.run("merged")),
            side("bare scan of the measures they read", lambda: scan(bare_days)),
            "what windows and groups cost beyond reading the kept measures of a year",
        ),
        pair(
            "merged/ev",
            side(f"{count} mergeable columns, ten times the data", lambda: year.run("merged")),
            side("bare scan of the event columns behind them", lambda: scan(bare_events)),
            "the same beside the scan that somebody without kept measures would begin with",
        ),
        pair(
            "exact",
            side("all declared columns with exact distincts, and interests", whole),
            side("bare scan of measures and event columns", lambda: scan(bare_days, bare_events)),
            "what exact distinct counts, most frequent values and interests cost",
        ),
        pair(
            "day 360",
            side(f"a day's features after {YEAR} days", lambda: day(year)),
            side(f"a day's features after {THIRD} days", lambda: day(third)),
            "how the SQL of a day grows with the history; a day's dbt start, the larger part, does not grow",
        ),
        pair(
            "one day",
            side("measures of the new day", lambda: year.run("increment")),
            side("measures of all days", lambda: year.run("rebuild")),
            "what replacing days by fingerprint saves",
        ),
        _compile_pair(settings, folder, size),
    ]


def _compile_pair(settings: Settings, folder: Path, size: home.Size) -> Pair:
    """200 features and 100 tags read, checked and planned, beside reading their YAML."""
    project = folder / "project"
    for part in ("dbt_project", "contracts"):
        shutil.copytree(settings.project / part, project / part, ignore=shutil.ignore_patterns("target"))
    for part, wanted in (("features", 200), ("tags", 100)):
        (project / part).mkdir()
        files = sorted((settings.project / part).glob("*.yml"))
        for number in range(wanted):
            said = yaml.safe_load(files[number % len(files)].read_text(encoding="utf-8"))
            name = said["name"] if number < len(files) else f"{said['name']}_{number}"
            (project / part / f"{name}.yml").write_text(yaml.safe_dump(said | {"name": name}), encoding="utf-8")
    many = replace(settings, project=project)
    paths = sorted(project.glob("[ft]*s/*.yml"))

    def compile_all() -> int:
        for path in paths:
            path.touch()  # what was read before counts as changed
        features = load_features(many)
        plan(features)
        return len(features) + len(read_tags(many))

    def read_all() -> int:
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        return len([yaml.load(path.read_text(encoding="utf-8"), Loader=loader) for path in paths])  # noqa: S506

    return Pair(
        "declared",
        Side("200 features and 100 tags: read, checked, bound, planned", compile_all),
        Side("their YAML read", read_all),
        "what a step pays before dbt begins",
        size.repeats,
        warm_up=True,
        clock=time.process_time,
    )


def _compiled(settings: Settings, run: Run, features: tuple) -> dict[str, str]:
    """The SQL of the models as dbt compiles it for these features, every day to build."""
    variables = warehouse.variables(settings, run) | {"features": plan(features)}
    names = [*_EVENTS, "customer_event_days", "customer_event_features", "customer_categories", "customer_interests"]
    dbt.invoke(settings, run, ["compile", "--full-refresh", "--select", " ".join(names)], variables)
    folder = settings.home.dbt_target / "compiled" / "huaxiang" / "models" / "features"
    return {name: (folder / f"{name}.sql").read_text(encoding="utf-8").replace('"huaxiang".', "") for name in names}


def _enlarge(settings: Settings, run: Run, sql: dict[str, str], folder: Path, times: int, days: int) -> Enlarged:
    """A database of `times` the customers and the last `days` days."""
    folder.mkdir(parents=True)
    connection = duckdb.connect(
        str(folder / "enlarged.duckdb"),
        config={"threads": 2, "memory_limit": "4GB", "autoinstall_known_extensions": "false"},
    )
    connection.execute(f"set TimeZone = 'UTC'; attach '{settings.home.duckdb_file}' as small (read_only)")
    connection.execute("create schema staging; create schema features")
    for table in _PLAIN:
        connection.execute(f"create table {table} as from small.{table}")
    with state.reading(settings) as small:
        first = small.execute("select min(ordered_on) from staging.stg_orders").fetchall()[0][0]
    span = (run.as_of - first).days + 1
    copies = -(-days // span)
    for table, changed in _DATED.items():
        day = next(name for name in changed if name.endswith("_on"))
        said = ["customer_id || '-' || n as customer_id"]
        said += [f"{name} || '-' || n || '-' || h as {name}" for name in changed if name.endswith("_id")]
        said += [f"{name} - h * {span} as {name}" for name in changed if name.endswith("_on")]
        said += [f"{name} - to_days(h * {span}) as {name}" for name in changed if name.endswith("_at")]
        connection.execute(
            f"create table staging.{table} as select * replace ({', '.join(said)}) from small.staging.{table},"
            f" range({times}) as a(n), (select range::integer as h from range({copies})) as b"
            f" where {day} - h * {span} > date '{run.as_of - timedelta(days=days)}' and {day} <= date '{run.as_of}'"
        )
    for name in _EVENTS:
        connection.execute(f"create view features.{name} as {sql[name]}")
    parts = " union ".join(
        f"select distinct '{name[6:]}' as event, happened_on from features.{name}" for name in _EVENTS
    )
    connection.execute(
        f"create table features.event_days as select *, md5(event || happened_on::varchar) as day_fingerprint"
        f" from ({parts})"
    )
    connection.execute(
        f"create table features.customer_features as select distinct customer_id, date '{run.as_of}' as as_of"
        " from staging.stg_orders"
    )
    connection.execute(f"create table features.customer_event_days as {sql['customer_event_days']}")
    connection.execute(
        "create table features.customer_category_days as select customer_id, category, happened_on as ordered_on,"
        " count(*) as purchase_count, count(*) as line_count, 0::bigint as bulk_line_count,"
        " sum(quantity)::decimal(18,3) as priced_quantity, sum(gross_amount)::decimal(18,2) as priced_amount"
        " from features.event_order_lines where category is not null group by all"
    )
    made = {name: text for name, text in sql.items() if name not in _EVENTS}
    connection.execute(f"create table features.customer_categories as {made['customer_categories']}")
    made["rebuild"] = made["customer_event_days"]
    new = f"from features.event_days where happened_on = date '{run.as_of}'"
    made["increment"] = (
        made["customer_event_days"]
        .replace("from features.event_days", new, 1)
        .replace('from "features"."event_days"', new, 1)
    )
    return Enlarged(connection, made, run.as_of)
