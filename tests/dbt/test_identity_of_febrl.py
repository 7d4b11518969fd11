"""How right the links are: FEBRL data set 3 by simulate, landing and the part of staging that recognises people."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from datetime import date

import pytest

from huaxiang import identity, landing, lease
from huaxiang.identity.febrl import MEASURED
from huaxiang.landing.ledger import read_ledger
from huaxiang.landing.versions import known_files, write_known_files
from huaxiang.settings import PROJECT, Run, Settings, load_settings
from huaxiang.simulate import simulate
from huaxiang.steps import StepLog
from huaxiang.tables import Home

pytestmark = [pytest.mark.dbt, pytest.mark.slow]

DAY = date(2026, 1, 5)
SYSTEMS = ("febrl_crm", "febrl_shop", "febrl_clinic", "febrl_library", "febrl_lottery")


@pytest.fixture(scope="module")
def febrl(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """The home of FEBRL 3, landed."""
    root = tmp_path_factory.mktemp("febrl")
    settings = replace(
        load_settings(), config=PROJECT / "homes/febrl/huaxiang.yml", home=Home(root / "home"), inbox=root / "inbox",
        sources=SYSTEMS, models=(), currency="", time_zone="Australia/Sydney",
    )  # fmt: skip
    for system in SYSTEMS:
        simulate(settings, system, DAY)
    run = Run(DAY, DAY)
    with lease.hold(settings, "landing"):
        lease.begin(settings, run)
        landing.land(settings, run)
    files = known_files(read_ledger(settings), DAY)
    settings.home.warehouse.mkdir()
    write_known_files(settings, files)
    return settings


def test_the_links_are_as_right_as_the_docs_say(febrl: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    identity.resolve(febrl, Run(DAY, DAY), {"identifiers"}, StepLog("staging"))
    said = capsys.readouterr().out
    assert f"recall {MEASURED.recall:.4f}, precision {MEASURED.precision:.4f}" in said
    assert MEASURED.recall > 0.857
    assert MEASURED.precision >= 0.99
    summary = json.loads((febrl.home.build(str(DAY)) / identity.SUMMARY).read_text(encoding="utf-8"))
    assert summary["accuracy"] == asdict(MEASURED)
