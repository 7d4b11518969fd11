"""The page for one customer, opened by `customer.html#<customer_id>`."""

from __future__ import annotations

from huaxiang.report.customers import write_customers
from huaxiang.report.site import Site
from huaxiang.report.tables import BuildTables


def write(site: Site, tables: BuildTables) -> dict[str, int]:
    """Write `customer.html` and its data; returns the figures the step logs."""
    written = write_customers(site.folder / "customers", tables)
    site.write(
        "customer.html",
        script="customer.js",
        customers=written["customers"],
        can_narrow=written.pop("segments") > 1,
    )
    return written
