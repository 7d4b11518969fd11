"""The home that is measured on: a part of the real data, landed and staged in a folder of its own."""

from __future__ import annotations

import json
import os
import shutil
from contextlib import redirect_stdout
from dataclasses import dataclass, replace
from datetime import date, timedelta
from io import StringIO
from pathlib import Path

from huaxiang.settings import PROJECT, Run, Settings, load_settings
from huaxiang.tables import Home

SOURCE = "complete_journey"


@dataclass(frozen=True)
class Size:
    """How much is measured, and how often; `whole_layer` also runs the features that are not daily aggregates."""

    customers: int
    since: date
    as_of: date
    repeats: int
    whole_layer: bool
    points: int  # for K-Means

    def __str__(self) -> str:
        return f"{self.customers:,} customers, {self.since} to {self.as_of}, {self.repeats} repeats"


FULL = Size(600, date(2017, 6, 1), date(2017, 11, 30), repeats=3, whole_layer=True, points=2_463)
TINY = Size(40, date(2017, 11, 1), date(2017, 11, 30), repeats=1, whole_layer=False, points=300)


def prepare(folder: Path, size: Size) -> tuple[Settings, Run]:
    """Play, land, stage and build the day before `as_of`, then land and stage `as_of`: its features are still to do."""
    from huaxiang import landing, warehouse
    from huaxiang.simulate import simulate

    os.environ["HUAXIANG_CONFIG"] = str(PROJECT / "huaxiang.yml")
    home = Home(folder / "home")
    # A family must be switched on, or no purchases are exported for it.
    settings = replace(load_settings(), home=home, inbox=folder / "inbox", models=("associations",))
    day_before = size.as_of - timedelta(days=1)
    before, today = Run(day_before, day_before), Run(size.as_of, size.as_of)
    with quietly():
        simulate(settings, SOURCE, size.as_of, since=size.since, customers=size.customers)
        landing.land(settings, before)
        warehouse.staging(settings, before)
        warehouse.features(settings, before)
        landing.land(settings, today)
        warehouse.staging(settings, today)
    return settings, today


def models(settings: Settings) -> list[str]:
    """The models of the features layer, each after those it reads."""
    from graphlib import TopologicalSorter

    manifest = json.loads((settings.home.dbt_target / "manifest.json").read_text(encoding="utf-8"))
    layer = {
        key: [parent for parent in node["depends_on"]["nodes"] if parent.startswith("model.")]
        for key, node in manifest["nodes"].items()
        if node["resource_type"] == "model" and node["path"].startswith("features/")
    }
    order = TopologicalSorter(layer).static_order()
    return [manifest["nodes"][key]["name"] for key in order if key in layer]


def copy_of(file: Path) -> Path:
    """A copy beside the file, to go back to."""
    copy = file.with_name(f"{file.name}.as_it_was")
    shutil.copyfile(file, copy)
    return copy


def quietly() -> redirect_stdout:
    """Steps tell the terminal what they do; here only figures are wanted."""
    return redirect_stdout(StringIO())
