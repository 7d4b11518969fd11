"""What a product is called: words of the catalogue as it landed, for the products that the report names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from huaxiang.report.tables import BuildTables, Row


@dataclass(frozen=True)
class Product:
    """A product in words: `name` says what it is, `detail` which of its kind."""

    name: str
    detail: str


def products(tables: BuildTables) -> Mapping[str, Product]:
    """The recommended products by id, each in its latest version known at `known_at`.

    A product without a row in the catalogue is not there: `unknown` names it.
    """
    if not tables.has("customer_items") or not _catalogue(tables):
        return {}
    rows = tables.rows(
        """
        select product_id, product_type, category, department, package_size
        from products
        where load_date <= $1 and product_id in (select product_id from customer_items)
        qualify row_number() over (
            partition by product_id order by load_date desc, file_id desc, record_number desc, source_name
        ) = 1
        """,
        tables.run.known_at,
    )
    return {row["product_id"]: named(row) for row in rows}


def categories(tables: BuildTables) -> Mapping[str, str]:
    """The category of each product type, that of most of its products where there are several (of equally many the
    first): a type's own name may say little, such as MAINSTREAM of PASTA SAUCE."""
    if not _catalogue(tables):
        return {}
    rows = tables.rows(
        """
        select product_type, category
        from products
        where load_date <= $1 and product_type is not null and category is not null and category <> product_type
        group by product_type, category
        qualify row_number() over (
            partition by product_type order by count(distinct product_id) desc, category
        ) = 1
        """,
        tables.run.known_at,
    )
    return {row["product_type"]: row["category"] for row in rows}


def _catalogue(tables: BuildTables) -> bool:
    """Make the landed products readable; False where the home has none."""
    return tables.view_of_files("products", tables.settings.home.landing, "*/products/*/*.parquet")


def named(row: Row) -> Product:
    """The finest group that is known as the name; what is known besides, and the number, as detail."""
    groups = list(dict.fromkeys(row[column] for column in ("product_type", "category", "department") if row[column]))
    if not groups:
        return unknown(row["product_id"])
    details = [row["package_size"], *groups[1:2], f"no.\u00a0{row['product_id']}"]
    return Product(groups[0], ", ".join(detail.strip() for detail in details if detail and detail.strip()))


def unknown(product_id: str) -> Product:
    """A product of which nothing but its number is known."""
    return Product(f"Product {product_id}", "")
