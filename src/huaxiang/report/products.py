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
    root = tables.settings.home.landing
    if not tables.has("customer_items") or not tables.view_of_files("products", root, "*/products/*/*.parquet"):
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
