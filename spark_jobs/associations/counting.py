"""From purchases to orders as bit masks, and exact counts of item sets in them, in DuckDB: Parquet in, numbers out.

How often each candidate is bought is counted here, every day anew. An order becomes a few whole numbers with one bit
per product type that is asked for. An item set is in the order when all its bits are. Orders with equal bits are
counted together, so the work grows with the kinds of orders.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from spark_jobs.associations.rules import EVERY_ORDER, ItemSet

if TYPE_CHECKING:
    import duckdb
    import pandas as pd

_BITS = 62  # of a bigint, keeping clear of the sign
_DAYS = "ordered_on between ? and ? and product_type is not null"


@dataclass(frozen=True)
class Counts:
    """In how many orders each item set is, and the first and last day of all orders (None without orders)."""

    of: Mapping[ItemSet, int]
    first_on: date | None
    last_on: date | None

    @property
    def orders(self) -> int:
        return self.of.get(EVERY_ORDER, 0)


@dataclass(frozen=True)
class Bits:
    """Which bit of which word stands for a product type."""

    items: tuple[str, ...]

    @property
    def words(self) -> list[str]:
        return [f"word_{number}" for number in range(max(1, -(-len(self.items) // _BITS)))]

    def of(self, itemset: ItemSet) -> list[int]:
        """The words with the bits of all types of the item set."""
        found = [0] * len(self.words)
        for item in itemset:
            place = self.items.index(item)
            found[place // _BITS] |= 1 << (place % _BITS)
        return found


def bits_of(itemsets: Sequence[ItemSet]) -> Bits:
    return Bits(tuple(sorted({item for itemset in itemsets for item in itemset})))


def count(path: Path, first: date, last: date, itemsets: Sequence[ItemSet]) -> Counts:
    """Exact counts of the item sets and of all orders, among the purchases of these days that have a product type."""
    import duckdb

    wanted = sorted({EVERY_ORDER, *itemsets})
    bits = bits_of(wanted)
    is_in = " and ".join(f"kinds.{word} & sets.{word} = sets.{word}" for word in bits.words)
    with duckdb.connect() as connection:
        _make_orders(connection, path, first, last, bits)
        _give(connection, "sets", [(number, *bits.of(itemset)) for number, itemset in enumerate(wanted)], bits)
        found = connection.execute(
            f"""
            with kinds as (
                select {", ".join(bits.words)}, count(*) as orders, min(first_on) as first_on, max(last_on) as last_on
                from orders group by {", ".join(bits.words)}
            )
            select sets.name, sum(kinds.orders)::bigint, min(kinds.first_on), max(kinds.last_on)
            from sets inner join kinds on {is_in}
            group by sets.name
            """
        ).fetchall()
    rows = {wanted[number]: (orders, first_on, last_on) for number, orders, first_on, last_on in found}
    _, first_on, last_on = rows.get(EVERY_ORDER, (0, None, None))
    return Counts({itemset: orders for itemset, (orders, _, _) in rows.items()}, first_on, last_on)


def count_pairs(path: Path, first: date, last: date, fewest: int) -> dict[ItemSet, int]:
    """Exact counts of all orders of these days, and of every product type and two of them in at least `fewest`."""
    import duckdb

    with duckdb.connect() as connection:
        connection.execute(
            f"create temp table lines as select distinct order_id, product_type from read_parquet(?) where {_DAYS}",
            [str(path), first, last],
        )
        [(orders,)] = connection.execute("select count(distinct order_id) from lines").fetchall()
        # Numbers in the order of the names: they are quick to compare, and each pair comes once and in order.
        connection.execute(
            """
            create temp table types as
            select product_type, row_number() over (order by product_type) as place, count(*) as orders
            from lines group by product_type having count(*) >= ?
            """,
            [fewest],
        )
        singles = connection.execute("select product_type, orders from types").fetchall()
        pairs = connection.execute(
            """
            with often as (
                select order_id, place from lines inner join types using (product_type)
            ),
            pairs as (
                select one.place as one, other.place as other, count(*) as orders
                from often as one inner join often as other
                    on one.order_id = other.order_id and one.place < other.place
                group by all having count(*) >= ?
            )
            select first_type.product_type, second_type.product_type, pairs.orders
            from pairs
            inner join types as first_type on pairs.one = first_type.place
            inner join types as second_type on pairs.other = second_type.place
            """,
            [fewest],
        ).fetchall()
    found: dict[ItemSet, int] = {EVERY_ORDER: orders}
    return found | {(item,): count for item, count in singles} | {(one, other): count for one, other, count in pairs}


def masks(path: Path, first: date, last: date, bits: Bits, customers: int) -> pd.DataFrame:
    """The orders of at most so many customers, drawn by a hash of their ids: `customer_id` and the words of `bits`."""
    import duckdb

    with duckdb.connect() as connection:
        _make_orders(connection, path, first, last, bits)
        rows: pd.DataFrame = connection.execute(
            f"""
            with drawn as (
                select distinct customer_id, md5(customer_id) as mark from orders order by mark, customer_id limit ?
            )
            select customer_id, {", ".join(bits.words)} from orders semi join drawn using (customer_id)
            order by all
            """,
            [customers],
        ).df()
    return rows


def _make_orders(connection: duckdb.DuckDBPyConnection, path: Path, first: date, last: date, bits: Bits) -> None:
    """Table `orders`, one row per order: customer_id, first_on, last_on and a word per 62 product types."""
    _give(connection, "types", [(item, *bits.of((item,))) for item in bits.items], bits)
    words = ", ".join(f"coalesce(bit_or(types.{word}), 0) as {word}" for word in bits.words)
    connection.execute(
        f"""
        create temp table orders as
        select
            coalesce(min(bought.customer_id), bought.order_id) as customer_id, -- one without a customer is its own
            min(bought.ordered_on) as first_on,
            max(bought.ordered_on) as last_on,
            {words}
        from (select * from read_parquet(?) where {_DAYS}) as bought
        left join types on bought.product_type = types.name
        group by bought.order_id
        """,
        [str(path), first, last],
    )


def _give(connection: duckdb.DuckDBPyConnection, table: str, rows: Sequence[tuple[object, ...]], bits: Bits) -> None:
    """A table of `name` and the words of `bits`."""
    import pandas as pd

    frame = pd.DataFrame(rows, columns=["name", *bits.words])
    connection.register(f"given_{table}", frame)
    words = ", ".join(f"{word}::bigint as {word}" for word in bits.words)
    connection.execute(f"create temp table {table} as select name, {words} from given_{table}")
