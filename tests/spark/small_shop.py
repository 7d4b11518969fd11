"""A small home whose customers shop at their own pace: features, purchases and order days, made without dbt."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd

from huaxiang.settings import Run, Settings

CATEGORIES = ("bread", "cheese", "milk", "tea", "COUPON/MISC ITEMS")
FIRST_DAY = date(2024, 1, 1)


@dataclass(frozen=True)
class SmallShop:
    """All that happened from FIRST_DAY on: `orders` and `purchases`, one row each per order and per line."""

    orders: pd.DataFrame
    purchases: pd.DataFrame
    redeemed: pd.DataFrame = field(
        default_factory=lambda: pd.DataFrame(columns=["customer_id", "response_id", "responded_on"], dtype=str)
    )

    @classmethod
    def made(cls, customers: int = 240, days: int = 300, seed: int = 11) -> SmallShop:
        """Customers order every 3 to 60 days; each likes some categories; a third stops one day."""
        rng = np.random.default_rng(seed)
        gaps, stops = rng.uniform(3, 60, customers), rng.integers(0, 3 * days, customers)
        likes = rng.beta(0.5, 1.0, (customers, len(CATEGORIES)))
        orders, lines = [], []
        for number, (gap, stop) in enumerate(zip(gaps, stops, strict=True)):
            for day in range(min(days, int(stop))):
                if rng.uniform() < 1 / gap:
                    who, when = f"cust-{number:05d}", FIRST_DAY + timedelta(days=day)
                    order = {"order_id": f"o{len(orders)}", "customer_id": who, "ordered_on": when}
                    orders.append(order)
                    bought = [
                        name for name, like in zip(CATEGORIES, likes[number], strict=True) if rng.uniform() < like
                    ]
                    lines += [{**order, "product_id": name, "category": name, "product_type": name} for name in bought]
        return cls(pd.DataFrame(orders), pd.DataFrame(lines))

    def features(self, as_of: date) -> pd.DataFrame:
        """Features of everybody with an order by then, as the features step names them."""
        seen = self.orders[self.orders["ordered_on"] <= as_of]
        age = pd.to_datetime(as_of) - pd.to_datetime(seen["ordered_on"])
        seen = seen.assign(age=age.dt.days)
        by = seen.groupby("customer_id")
        table = pd.DataFrame({"recency_days": by["age"].min(), "tenure_days": by["age"].max()})
        table["order_count"] = by.size()
        for span in (28, 91):
            table[f"order_count_{span}d"] = seen[seen["age"] < span].groupby("customer_id").size()
        table = table.fillna(0).astype("int64")
        table["gap_days_mean"] = (table["tenure_days"] - table["recency_days"]) / (table["order_count"] - 1)
        table["gap_days_mean"] = table["gap_days_mean"].replace([np.inf, -np.inf], np.nan)
        table["basket_net_mean"] = 10.0 + table["order_count"] % 7
        table["net_spend_91d"] = table["order_count_91d"] * table["basket_net_mean"]
        table["preferred_hour"] = 12
        table["preferred_store_id"] = "s1"
        return table.reset_index().sort_values("customer_id").assign(as_of=as_of)

    def put(self, settings: Settings, run: Run, snapshot_days: list[date]) -> None:
        """Write what the models step finds in the build."""
        inputs = settings.home.inputs(run.id)
        days = self.orders.groupby(["customer_id", "ordered_on"]).size().rename("order_count").reset_index()
        snapshots = pd.concat([self.features(day) for day in [*snapshot_days, run.as_of]])
        _write(self.features(run.as_of), settings.home.build(run.id) / "features" / "customer_features.parquet")
        _write(snapshots, inputs / "snapshots.parquet")
        days["net_amount"] = 10.0 * days["order_count"]
        _write(days[days["ordered_on"] <= run.as_of], inputs / "customer_days.parquet")
        redeemed = self.redeemed[self.redeemed["responded_on"] <= run.as_of]
        _write(redeemed, inputs / "responses.parquet")
        _write(self.purchases[self.purchases["ordered_on"] <= run.as_of], inputs / "purchases.parquet")


def _write(table: pd.DataFrame, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    table.to_parquet(path, index=False)
