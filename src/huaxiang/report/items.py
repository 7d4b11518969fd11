"""What is recommended: the products named most often per task, some customers as examples, and each customer's own."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from huaxiang.report import words
from huaxiang.report.products import Product, products, unknown
from huaxiang.report.tables import BuildTables

MOST, EXAMPLES, FIRST = 12, 5, 5
TASKS = {
    "any": (
        "Any product",
        "What the customer is likeliest to buy next, of all products. Most are bought before: it is a reminder, and "
        "shows what will be on the list anyway.",
    ),
    "new": (
        "Never bought before",
        "The same, of the products the customer has never bought: something to discover. It is the harder task, so "
        "fewer of these are bought.",
    ),
}


@dataclass(frozen=True)
class Pick:
    """A product recommended to a customer, and why."""

    product: Product
    reason: str


@dataclass(frozen=True)
class Popular:
    """A product with the customers it is recommended to."""

    product: Product
    customers: int
    share: float


@dataclass(frozen=True)
class Task:
    """A task with what is recommended most often in it; `longest` is how many products a customer gets at most."""

    name: str
    title: str
    meaning: str
    customers: int
    longest: int
    popular: tuple[Popular, ...]


@dataclass(frozen=True)
class Example:
    """A customer with the first products of each task (by its title)."""

    customer_id: str
    segment: str
    picks: tuple[tuple[str, tuple[Pick, ...]], ...]


class Items:
    """The recommendations of a build, with the words of their products."""

    def __init__(self, tables: BuildTables) -> None:
        self._tables = tables
        self.products: Mapping[str, Product] = products(tables)
        names = [row["task"] for row in tables.rows("select distinct task from customer_items order by task")]
        self.names: list[str] = [*(name for name in TASKS if name in names), *(n for n in names if n not in TASKS)]

    def titles(self) -> list[str]:
        """The tasks in words, in their order."""
        return [TASKS[name][0] if name in TASKS else words.plain(name).capitalize() for name in self.names]

    def tasks(self) -> tuple[Task, ...]:
        """Each task with the products that the most customers get; of equally many the first id."""
        found = []
        for name, title in zip(self.names, self.titles(), strict=True):
            [sums] = self._tables.rows(
                "select count(distinct customer_id) as customers, max(rank) as longest "
                "from customer_items where task = $1",
                name,
            )
            rows = self._tables.rows(
                """
                select product_id, count(distinct customer_id) as customers
                from customer_items
                where task = $1
                group by product_id
                order by customers desc, product_id
                limit $2
                """,
                name,
                MOST,
            )
            popular = tuple(
                Popular(self._product(row["product_id"]), row["customers"], row["customers"] / sums["customers"])
                for row in rows
            )
            meaning = TASKS[name][1] if name in TASKS else ""
            found.append(Task(name, title, meaning, sums["customers"], sums["longest"], popular))
        return tuple(found)

    def picks(self, first: int = FIRST) -> dict[str, list[list[Pick]]]:
        """Each customer's first products, a list for each task."""
        found: dict[str, list[list[Pick]]] = defaultdict(lambda: [[] for _ in self.names])
        places = {name: place for place, name in enumerate(self.names)}
        for row in self._tables.rows(
            "select customer_id, task, product_id, reason from customer_items where rank <= $1 "
            "order by customer_id, task, rank, product_id",
            first,
        ):
            pick = Pick(self._product(row["product_id"]), row["reason"] or "")
            found[row["customer_id"]][places[row["task"]]].append(pick)
        return dict(found)

    def examples(self) -> tuple[Example, ...]:
        """Customers spread over the segments, the most typical first; without segments spread over all."""
        picks, titles = self.picks(), self.titles()
        chosen = self._typical() if self._tables.has("customer_segments", "distance") else self._spread()
        return tuple(
            Example(
                customer_id,
                segment,
                tuple((title, tuple(of)) for title, of in zip(titles, picks[customer_id], strict=True) if of),
            )
            for customer_id, segment in chosen
        )

    def _typical(self) -> list[tuple[str, str]]:
        rows = self._tables.rows(
            """
            select customer_id, segment_name
            from customer_segments
            where customer_id in (select customer_id from customer_items)
            order by
                row_number() over (partition by segment_id order by distance, customer_id),
                count(*) over (partition by segment_id) desc,
                segment_id
            limit $1
            """,
            EXAMPLES,
        )
        return [(row["customer_id"], row["segment_name"]) for row in rows]

    def _spread(self) -> list[tuple[str, str]]:
        rows = self._tables.rows("select distinct customer_id from customer_items order by customer_id")
        step = max(1, len(rows) // EXAMPLES)
        return [(row["customer_id"], "") for row in rows[::step][:EXAMPLES]]

    def _product(self, product_id: str) -> Product:
        return self.products.get(product_id) or unknown(product_id)
