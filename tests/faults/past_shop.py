"""A small shop whose drops come late and correct each other, and what was known of it, worked out in plain Python."""

from __future__ import annotations

import csv
import io
import random
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

from huaxiang.landing import land
from huaxiang.settings import Run, Settings, load_settings
from huaxiang.tables import Home

FIRST, DAYS, CUSTOMERS = date(2024, 1, 1), 70, 30
ZONE = ZoneInfo("America/New_York")
MAPPING = """
time_zone: UTC
tables:
  order_lines:
    file: sales_{load_date}.csv
    format: csv
    columns:
      order_line_id: line
      order_id: basket
      customer_id: who
      product_id: product
      ordered_at: bought_at
      quantity: "1"
      net_amount: paid
  products:
    file: products_{load_date}.csv
    format: csv
    columns:
      product_id: product
      category: category
"""
_HEADER = ("line", "basket", "who", "product", "bought_at", "paid")
_CATEGORIES = {"p1": "tea", "p2": "tea", "p3": "milk", "p4": "bread", "p5": "fish"}


@dataclass(frozen=True)
class Line:
    """An order line as the till wrote it, and the day its drop was loaded."""

    line: str
    basket: str
    who: str
    product: str
    bought_at: str
    paid: str
    loaded_on: date

    @property
    def ordered_on(self) -> date:
        return datetime.fromisoformat(self.bought_at).replace(tzinfo=UTC).astimezone(ZONE).date()


def made_up_lines(seed: int) -> list[Line]:
    """Baskets of every day; one line in twelve comes days late, one in twenty is corrected by a later drop."""
    draw = random.Random(seed)
    lines = []
    for number in range(DAYS):
        for basket in range(8):
            who = f"c{min(int(draw.expovariate(0.12)), CUSTOMERS - 1)}"
            at = datetime.combine(FIRST + timedelta(number), datetime.min.time()) + timedelta(
                minutes=draw.randrange(1440)
            )
            for item in sorted(draw.sample(sorted(_CATEGORIES), draw.randint(1, 3))):
                late = draw.randint(2, 20) if draw.random() < 1 / 12 else 0
                # What is bought after midnight UTC belongs to the day before and is loaded with the day of the file.
                loaded = FIRST + timedelta(number + late)
                cents = draw.randrange(100, 5000)
                one = Line(
                    f"l{number}-{basket}-{item}",
                    f"b{number}-{basket}",
                    who,
                    item,
                    at.isoformat(" "),
                    f"{cents / 100:.2f}",
                    loaded,
                )
                lines.append(one)
                if draw.random() < 1 / 20:
                    lines.append(
                        replace(one, paid=f"{cents / 100 + 1:.2f}", loaded_on=loaded + timedelta(draw.randint(1, 20)))
                    )
    return lines


def shop_at(root: Path, models: tuple[str, ...] = ()) -> Settings:
    """The settings of an empty home with the source `shop`."""
    (root / "sources").mkdir(parents=True)
    (root / "sources" / "shop.yml").write_text(MAPPING, encoding="utf-8")
    return replace(
        load_settings(),
        config=root / "huaxiang.yml",
        home=Home(root / "home"),
        inbox=root / "home" / "inbox",
        sources=("shop",),
        time_zone=ZONE.key,
        currency="USD",
        models=models,
        last_day=None,
    )


def drop(settings: Settings, lines: Iterable[Line], name: str = "sales") -> None:
    """Put the lines into the inbox, a file per load day, and the products beside the first."""
    folder = settings.inbox / "shop"
    folder.mkdir(parents=True, exist_ok=True)
    products = "product,category\n" + "".join(f"{one},{category}\n" for one, category in _CATEGORIES.items())
    (folder / f"products_{FIRST}.csv").write_text(products, encoding="utf-8")
    days: dict[date, list[Line]] = {}
    for one in lines:
        days.setdefault(one.loaded_on, []).append(one)
    for day, of_day in days.items():
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(_HEADER)
        writer.writerows([getattr(one, column) for column in _HEADER] for one in of_day)
        (folder / f"{name}_{day}.csv").write_text(text.getvalue(), encoding="utf-8")


def landed(settings: Settings, known_at: date) -> None:
    land(settings, Run(known_at, known_at))


def known(lines: Iterable[Line], run: Run, who: str) -> dict[str, object] | None:
    """What was known of a customer, or None; of a line that came twice the later drop holds."""
    versions: dict[str, Line] = {}
    for one in sorted(lines, key=lambda one: one.loaded_on):
        if one.loaded_on <= run.known_at:
            versions[one.line] = one
    own = [one for one in versions.values() if one.who == who and one.ordered_on <= run.as_of]
    if not own:
        return None
    recent = [one for one in own if one.ordered_on > run.as_of - timedelta(28)]
    return {
        "order_count": len({one.basket for one in own}),
        "line_count": len(own),
        "net_spend": sum((Decimal(one.paid) for one in own), Decimal(0)),
        "first_order_on": min(one.ordered_on for one in own),
        "last_order_on": max(one.ordered_on for one in own),
        "recency_days": (run.as_of - max(one.ordered_on for one in own)).days,
        "order_count_28d": len({one.basket for one in recent}),
        "net_spend_28d": sum((Decimal(one.paid) for one in recent), Decimal(0)),
        "category_count": len({_CATEGORIES[one.product] for one in own}),
    }
