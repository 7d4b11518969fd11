"""dbt's work file is torn, or a contract changes and changes back: the next run gives the same tables."""

import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from huaxiang import warehouse
from huaxiang.errors import DamagedWarehouse
from huaxiang.settings import PROJECT, Run, load_settings
from huaxiang.tables import Home
from tests.dbt.small_home import DAY, SmallHome, line, small_shop

pytestmark = [pytest.mark.faults, pytest.mark.dbt]

TODAY = Run(DAY, DAY)
FEATURES = "features/customer_features"


def built(shop: SmallHome, run: Run = TODAY) -> list[tuple]:
    warehouse.staging(shop.settings, run)
    warehouse.features(shop.settings, run)
    return shop.table(run, FEATURES)


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> tuple[SmallHome, list[tuple]]:
    home = tmp_path_factory.mktemp("shop")
    shop = small_shop(replace(load_settings(), home=Home(home), inbox=home / "inbox"))
    return shop, built(shop)


@pytest.fixture
def shop(whole, tmp_path) -> SmallHome:
    shutil.copytree(whole[0].settings.home.root, tmp_path / "home")
    return SmallHome(replace(whole[0].settings, home=Home(tmp_path / "home")))


def flip(file: Path, place: int) -> None:
    with file.open("r+b") as content:
        content.seek(place)
        byte = content.read(1)[0]
        content.seek(place)
        content.write(bytes([byte ^ 1]))


def test_a_torn_work_file_is_made_anew(whole, shop, capsys) -> None:
    file = shop.settings.home.duckdb_file
    os.truncate(file, file.stat().st_size // 2)
    assert built(shop) == whole[1]
    assert "was damaged: it is made anew" in capsys.readouterr().out


def test_garbage_in_all_that_the_warehouse_notes_loses_nothing(whole, shop) -> None:
    home = shop.settings.home
    for path in (
        home.warehouse / "state.json",
        home.dbt_target / "partial_parse.msgpack",
        home.dbt_target / "manifest.json",
    ):
        path.write_bytes(b"\xff\x00 no such thing")
    assert built(shop) == whole[1]


def test_a_flipped_bit_met_later_removes_the_file_and_names_the_next_step(whole, shop) -> None:
    with pytest.raises(DamagedWarehouse, match="huaxiang staging"):
        for place in range(12_288, shop.settings.home.duckdb_file.stat().st_size, 262_144):
            flip(shop.settings.home.duckdb_file, place + 4_096)
        warehouse.features(shop.settings, TODAY)
    assert not shop.settings.home.duckdb_file.exists()
    assert built(shop) == whole[1]


TILL = """
      - name: till
        description: Which till.
        logicalType: string
        physicalType: varchar
        classification: none
"""


def test_a_contract_that_gains_a_column_and_loses_it_again_reads_every_day(whole, shop, tmp_path) -> None:
    """Rows landed under each version stay in the home, and the portraits do not care."""
    sold = [line(10, "anna", "2026-01-31 15:00:00", "3.00"), line(11, "ben", "2026-01-31 16:00:00", "2.00")]
    shutil.copytree(shop.settings.home.root, tmp_path / "always")
    always = SmallHome(replace(shop.settings, home=Home(tmp_path / "always")))
    for one in sold:
        always.land("order_lines", DAY, [one])
    expected = built(always)

    for folder in ("contracts", "dbt_project", "tags", "features"):
        shutil.copytree(PROJECT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("target", "logs"))
    contract = tmp_path / "contracts" / "order_lines.yml"
    contract.write_text(contract.read_text().replace("    properties:\n", f"    properties:{TILL}", 1))
    wider = SmallHome(replace(shop.settings, project=tmp_path))
    wider.land("order_lines", DAY, [sold[0] | {"till": "3"}])
    after_the_first = built(wider)
    narrow_again = SmallHome(shop.settings)
    narrow_again.land("order_lines", DAY, [sold[1]])
    assert built(narrow_again) == expected
    assert after_the_first not in (whole[1], expected)
