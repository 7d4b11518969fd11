"""Faults of real life, planted in the drops of sales by moving, repeating and splitting real rows; none is invented.

| Fault | How often | What happens |
|---|---|---|
| late | 5 of 100 order lines | they come in the file of one to five days later |
| repeated | 1 of 100 order lines | they come again, as they were, in the file of the next day |
| split | 10 of 100 days | the day's file comes in two parts |
| incomplete | 5 of 100 days | 1 of 50 lines is missing; two days later the whole day is sent again |
| delayed | 3 of 100 days | the file comes a day after the day it says |

What is hit is decided by a hash of the row or the day, so equal arguments plant equal faults. Seven days later all has
come: then the home holds exactly what it would hold without faults.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path

import duckdb

from huaxiang.simulate.drops import Drop

DAYS_UNTIL_ALL_HAS_COME = 7


def faulty_sales(connection: duckdb.DuckDBPyConnection, folder: Path, since: date, through: date) -> list[Drop]:
    """The drops of sales that have come by `through`, faults and all; `connection` holds the view `transactions`."""
    connection.execute(
        f"""
        create table faulty as
        with

        lines as (
            select
                * exclude (local_day),
                local_day as day,
                {_number("basket_id || '-' || product_id")} as line_number,
                {_number("basket_id")} as basket_number
            from transactions
            where local_day between date '{since}' and date '{through}'
        ),

        moved as (
            select * replace (
                case when line_number % 100 < 5 then day + 1 + (line_number // 100 % 5)::integer else day end as day
            )
            from lines
        ),

        sent as (
            select *, false as is_repeated from moved
            union all
            select * replace (day + 1 as day), true from moved where line_number % 100 = 99
        ),

        fated as (select *, {_number("'day ' || day")} % 100 as fate from sent),

        parts as (
            select
                *,
                case when fate < 10 and basket_number % 2 = 1 and not is_repeated then '_part2' else '' end as part,
                case when fate between 15 and 17 then day + 1 else day end as comes_on
            from fated
            where not (fate between 10 and 14 and line_number % 50 = 0 and not is_repeated)

            union all

            select *, '_again', day + 2 from fated where fate between 10 and 14
        )

        select * exclude (fate, line_number, basket_number, is_repeated), 'sales_' || day || part || '.csv' as file
        from parts
        where comes_on <= date '{through}'
        """
    )
    own = "columns(c -> c not in ('day', 'part', 'comes_on', 'file'))"
    names = connection.execute("select distinct file from faulty order by file").fetchall()
    return [
        Drop(
            folder / "pos" / name,
            f"select {own} from faulty where file = '{name}' order by transaction_timestamp, basket_id, product_id",
        )
        for (name,) in names
    ]


def _number(text: str) -> str:
    """SQL for a whole number that stands for a text, in every version of the engine."""
    return f"('0x' || substr(md5(({text})::varchar), 1, 8))::bigint"
