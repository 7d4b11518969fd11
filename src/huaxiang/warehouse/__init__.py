"""The SQL steps of the daily run: staging, features and profiles, one dbt invocation each.

The warehouse file is private work: only these steps write it, readers get Parquet in the run's build, and deleting it
loses nothing.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from itertools import chain
from typing import TYPE_CHECKING, Any

from huaxiang import families, identity
from huaxiang.audiences import build as audiences
from huaxiang.audiences.read import load_audiences
from huaxiang.contracts import load_contracts
from huaxiang.errors import DamagedWarehouse, MissingPartition
from huaxiang.failpoints import reach
from huaxiang.features import load_features, plan
from huaxiang.features.registry import NAME as REGISTRY
from huaxiang.features.registry import registry
from huaxiang.files import write_text
from huaxiang.identity.policy import load_policy
from huaxiang.judging import next_purchases
from huaxiang.progress import tell
from huaxiang.release import store
from huaxiang.settings import Run, Settings
from huaxiang.steps import StepLog, step
from huaxiang.tags import Tag, figures, in_force, load_tags, needs_of, of_visitors
from huaxiang.tags.compiling import manual_rows, tag_rows
from huaxiang.tags.proof import prove
from huaxiang.tags.versions import check_versions, told
from huaxiang.warehouse import conservation, state
from huaxiang.warehouse.dbt import Built, build, invoke
from huaxiang.warehouse.export import Sourced, export, export_inputs, left_out, sourced
from huaxiang.warehouse.product_words import write_product_words

if TYPE_CHECKING:
    from huaxiang.landing.ledger import LedgerRow

__all__ = ["copy", "features", "only", "profiles", "staging", "training_build", "training_set", "variables"]

# What the step exports, and what it calls the rows.
_FEATURE_TABLES = {
    "customer_features": "customers",
    "customer_interests": "interests",
    "customer_keywords": "keywords",
    "customer_category_next_purchases": "next purchases",
    "places": "places",
    "customer_event_features": "customers with declared features",
    "customer_web_features": "visitors",
    "retention_cohorts": "months of cohorts",
    "survival_curve": "days of the survival curve",
    "web_pages": "pages",
    "web_page_moves": "moves",
}
_PROFILE_TABLES = ("customer_profiles", "portrait_levels", "customer_tags")


def staging(settings: Settings, run: Run) -> None:
    """Resolve the rows known at `known_at` into staging tables; the warehouse file is made anew when its code changed,
    or when it turns out to be damaged.

    Raises HuaxiangError naming node, reason and file when a model or a key test fails.
    """
    try:
        _staging(settings, run)
    except DamagedWarehouse:
        tell("staging    the warehouse file was damaged: it is made anew")
        _staging(settings, run)


def _staging(settings: Settings, run: Run) -> None:
    from huaxiang.landing.ledger import read_ledger

    with step("staging", run, settings) as log, state.discarding_if_damaged(settings):
        ledger = read_ledger(settings)
        _check_landing(settings, ledger)
        _tags(settings, run)  # what the last step would refuse is refused by the first
        if state.discard_if_stale(settings):
            log.fact("warehouse", "made anew")
        _resolve(settings, run, ledger, log)
        _dbt(settings, run, "staging", log)
        write_product_words(settings)
        with state.reading(settings) as connection:
            lines, events, customers = connection.execute(
                "select (select count(*) from staging.stg_order_lines), (select count(*) from staging.stg_events),"
                " (select count(*) from staging.stg_customers)"
            ).fetchall()[0]
        log.fact("order lines", lines)
        if events:
            log.fact("events", events)
        log.fact("customers", customers)
        fates = conservation.settle(settings, run)
        for outcome in (conservation.SAME, conservation.SUPERSEDED):
            if records := sum(fate.records for fate in fates if fate.outcome == outcome):
                log.fact(f"{outcome} records", records)
        reach("staging.before_state")
        state.write(settings, run, "staging")
        reach("staging.after_state")


def only(settings: Settings, run: Run, model: str) -> None:
    """Build one dbt model of a private home, with what it comes from and without their tests. Of no use to a step: the
    warehouse then holds no whole layer. Raises HuaxiangError when a model fails."""
    from huaxiang.landing.ledger import read_ledger

    _resolve(settings, run, read_ledger(settings), StepLog("staging"))
    invoke(settings, run, ["run", "--select", f"+{model}"], variables(settings, run))


def _resolve(settings: Settings, run: Run, ledger: list[LedgerRow], log: StepLog) -> None:
    """Say which landed files are in force, and who is the same person."""
    from huaxiang.landing.versions import known_files, write_known_files

    files = known_files(ledger, run.known_at)
    write_known_files(settings, files)
    identity.resolve(settings, run, {one.table_name for one in files}, log)


def features(settings: Settings, run: Run) -> None:
    """Build the feature tables of as_of, and export them with the purchases that models learn from.

    Raises MissingPartition when staging holds another run, HuaxiangError when a model or test fails.
    """
    with step("features", run, settings) as log, state.discarding_if_damaged(settings):
        state.check(settings, run, after="staging")
        built = _dbt(settings, run, "features", log)
        known = sourced(settings, run)
        folder = settings.home.build(run.id) / "features"
        rows = {table: export(settings, "features", table, folder, known, as_of=run.as_of) for table in _FEATURE_TABLES}
        if not rows["customer_features"] and not rows["customer_web_features"]:
            raise MissingPartition(
                f"features/{run.as_of}: no customer has an order or an event by then; take a later --as-of or land more"
                " drops"
            )
        for table, fact in _FEATURE_TABLES.items():
            if rows[table] is not None:
                log.fact(fact, rows[table] or 0)
        with state.reading(settings) as connection:
            write_text(
                settings.home.build(run.id) / REGISTRY,
                registry(load_features(settings), run, built.seconds, connection),
            )
            if rows["customer_category_next_purchases"]:
                next_purchases.write(connection, run.as_of, settings.project, folder)
        if families.switched_on(settings):
            export_inputs(settings, run)
        reach("features.before_state")
        state.write(settings, run, "features")
        reach("features.after_state")


@contextmanager
def training_build(settings: Settings, run: Run) -> Iterator[Settings]:
    """A build and a warehouse to train in while the body runs, as settings.

    The build is the run's own if it is under way, else one that is removed again. The warehouse is a copy: a daily run
    of another day may be between two steps, and its later ones must find there what its earlier ones made.
    """
    build = settings.home.build(run.id)
    is_under_way = build.exists()
    apart = replace(settings, home=replace(settings.home, work="training"))
    copy(settings, apart)
    try:
        yield apart
    finally:
        shutil.rmtree(apart.home.warehouse, ignore_errors=True)
        if not is_under_way:
            shutil.rmtree(build, ignore_errors=True)


def copy(settings: Settings, apart: Settings) -> None:
    """Make the warehouse of `apart` a copy of that of `settings`, if there is one, whatever was there before."""
    shutil.rmtree(apart.home.warehouse, ignore_errors=True)  # of a command that was killed
    if settings.home.warehouse.exists():
        link = settings.home.build_link.name  # where dbt was killed
        shutil.copytree(settings.home.warehouse, apart.home.warehouse, ignore=shutil.ignore_patterns(link))


def training_set(settings: Settings, run: Run, snapshot_days: Sequence[date], log: StepLog) -> int:
    """Build the features of as_of and of `snapshot_days` before it, and export all that models learn from; returns how
    many customers and days they are.

    They go to `<build>/.inputs/snapshots.parquet` (one row per customer and day), the purchases beside it. Staging is
    built first when the warehouse holds another run. Raises MissingPartition for a day after as_of or when there is no
    customer, HuaxiangError when a model or test fails.
    """
    days = sorted({run.as_of, *snapshot_days})
    if days[-1] > run.as_of:
        raise MissingPartition(f"features/{days[-1]}: lies after --as-of {run.as_of}; ask for snapshot days up to it")
    if not state.holds(settings, run, "staging"):
        staging(settings, run)
    build(settings, run, "features", variables(settings, run, days))
    rows = export_inputs(settings, run, with_snapshots=True)
    known = sourced(settings, run)
    if not rows and "events" not in known.tables:
        raise MissingPartition(f"features/{run.as_of}: no customer has an order by then; take a later --as-of")
    export(
        settings,
        "features",
        "customer_features",
        settings.home.build(run.id) / "features",
        known,
        as_of=run.as_of,
    )
    state.write(settings, run, "features")
    log.progress(f"training set: {rows:,} customers and days, {len(days)} snapshot days from {days[0]} to {days[-1]}")
    return rows


def profiles(settings: Settings, run: Run) -> None:
    """Join features, model outputs and tags into the portrait and export it, with `left_out.json` beside it.

    Raises MissingPartition when features hold another run or a model family's tables are missing, BadConfiguration
    naming a broken tag's file, HuaxiangError when a model or test fails.
    """
    with step("profiles", run, settings) as log, state.discarding_if_damaged(settings):
        tags = _tags(settings, run)
        wanted = load_audiences(settings)
        state.check(settings, run, after="features")
        build_dir = settings.home.build(run.id)
        for family in families.expected(settings, run):
            if not families.has_written(build_dir, family):
                raise MissingPartition(f"{family}/{run.id}: not found; run 'huaxiang models --as-of {run.as_of}' first")
        _dbt(settings, run, "profiles", log)
        known = sourced(
            settings, run, more_needs=chain(*(needs_of(tag) for tag in tags), *(one.needs for one in wanted))
        )
        rows = {
            table: export(settings, "profiles", table, build_dir / "profiles", known, as_of=run.as_of, where=where)
            for table, where in zip(_PROFILE_TABLES, ("", "", _of_sourced_tags(tags, known)), strict=True)
        }
        missing = left_out(settings, known, (*_FEATURE_TABLES, *_PROFILE_TABLES), tags)
        write_text(build_dir / "profiles" / "left_out.json", json.dumps(missing, indent=2) + "\n")
        used = [tag for tag in tags if known.met(needs_of(tag))]
        log.fact("tag promises proven", prove(used, build_dir))
        counted = figures.of_build(build_dir, used, run.as_of, store.latest_before(settings, run.as_of))
        figures.write(build_dir, counted, used)
        if stale := sum(one.is_stale for one in counted):
            log.fact("tags on a model older than they hold", stale)
        models = {tag.name for tag in used if tag.kind == "model"}
        if unjudged := sum(one.name in models and one.customers > 0 and one.gain is None for one in counted):
            log.fact("tags of a model beside no baseline", unjudged)
        if idle := _idle_statements(settings, run):
            log.fact("statements of people that are no tag", idle)
        log.fact("customers", rows["customer_profiles"] or 0)
        log.fact("tags", rows["customer_tags"] or 0)
        if held := audiences.write(settings, run, wanted, known):
            log.fact("audiences", held)
        if missing["columns"]:
            log.fact("columns left out", len(missing["columns"]))
        state.write(settings, run, "profiles")
        reach("profiles.after_state")


def _tags(settings: Settings, run: Run) -> tuple[Tag, ...]:
    """The tags that portraits of the day carry. Raises BadConfiguration as load_tags and check_versions do."""
    tags = in_force(load_tags(settings), run.as_of)
    check_versions(tags, told(settings, store.releases(settings)))
    return tags


def _idle_statements(settings: Settings, run: Run) -> int:
    """How many of the last words that people said of a customer are no tag of the portrait: too old, outside the list,
    of no manual tag, or of somebody without a portrait."""
    with state.reading(settings) as connection:
        return int(
            connection.execute(
                "select count(*) from features.customer_statements as said"
                " left join profiles.customer_tags as held"
                " on said.customer_id = held.customer_id and said.tag = held.tag and held.source = 'manual'"
                f" where said.as_of = date '{run.as_of}' and said.value is not null and held.tag is null"
            ).fetchall()[0][0]
        )


def _of_sourced_tags(tags: Sequence[Tag], known: Sourced) -> str:
    """A tag is left out where one of its needs is not met, whatever its rule makes of empty columns."""
    names = ", ".join(f"'{tag.name}'" for tag in tags if known.met(needs_of(tag)))
    return f"tag in ({names})" if names else "false"


def _check_landing(settings: Settings, ledger: list[LedgerRow]) -> None:
    """The landed files must be those that the ledger names: no other, none missing, none damaged.

    One that it does not name is left from a landing call that did not finish: its rows are not known yet.
    """
    from huaxiang.landing.ledger import landed_names
    from huaxiang.landing.mend import check_landed

    named = landed_names(ledger)
    for path in sorted(settings.home.landing.glob("*/*/load_date=*/*.parquet")):
        source, table = path.relative_to(settings.home.landing).parts[:2]
        if source != "_none" and (source, table, path.stem) not in named:
            raise MissingPartition(
                f"{path}: the ledger does not name it, so landing did not finish; run 'huaxiang landing' again"
            )
    check_landed(settings.home, ledger)


def variables(settings: Settings, run: Run, snapshot_days: Sequence[date] | None = None) -> dict[str, Any]:
    """What a dbt invocation is told.

    Every layer of a run gets the same, also what it does not read: dbt parses the project anew when a variable changes.
    A tag that does not apply for want of a source is null for everybody, so all tags can be given; tags of orders are
    said of customers with an order only.
    """
    tags = in_force(load_tags(settings), run.as_of)
    whose = load_policy(settings).survivorship
    return {
        "as_of": str(run.as_of),
        "snapshot_days": [str(day) for day in snapshot_days or [run.as_of]],
        "time_zone": settings.time_zone,
        "first_source": settings.sources[0],
        "session_timeout_minutes": settings.session_timeout_minutes,
        "sourced_tables": sorted(sourced(settings, run, tables_only=True).tables),
        "contract_keys": {
            name: {"key": list(one.key), "required": [column.name for column in one.columns if column.is_required]}
            for name, one in load_contracts(settings).items()
        },
        "tag_rows": tag_rows(tags, "profiles", settings.engine),
        "manual_rows": manual_rows(tags, "profiles", "statements"),
        "features": plan(load_features(settings)),
        "survivorship": {
            "sources": list(whose.sources),
            "fields": {name: list(how) for name, how in whose.fields.items()},
        },
        "visitor_tags": [tag.name for tag in tags if of_visitors(tag)],
    }


def _dbt(settings: Settings, run: Run, layer: str, log: StepLog) -> Built:
    built = build(settings, run, layer, variables(settings, run))
    log.fact("models", built.models)
    log.fact("tests", built.tests)
    return built
