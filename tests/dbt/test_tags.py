"""Tags through a real build: what people say reaches portraits, and what a change would do is what it does."""

import shutil
from dataclasses import replace
from datetime import date
from pathlib import Path

import duckdb
import pytest

from huaxiang import warehouse
from huaxiang.errors import GateFailed
from huaxiang.release.store import Release
from huaxiang.settings import load_settings
from huaxiang.tables import Home
from huaxiang.tags import load_tags
from huaxiang.tags.preview import difference
from tests.dbt.small_home import DAY, NEXT, SmallHome, small_shop
from tests.dbt.test_warehouse import TODAY

pytestmark = pytest.mark.dbt


@pytest.fixture(scope="module")
def shop(tmp_path_factory) -> SmallHome:
    """The small shop with tag files of its own, built up to the portraits."""
    home, project = tmp_path_factory.mktemp("shop"), tmp_path_factory.mktemp("project")
    settings = load_settings()
    for folder in ("dbt_project", "contracts"):
        (project / folder).symlink_to(settings.project / folder)
    shutil.copytree(settings.tags_dir, project / "tags")
    shop = small_shop(replace(settings, home=Home(home), inbox=home / "inbox", project=project))
    said = {"tag": "key_customer", "said_by": "store 1", "value": "yes"}
    shop.land(
        "manual_tags",
        date(2026, 1, 5),
        [
            said | {"customer_id": "anna", "said_on": "2026-01-04"},
            said | {"customer_id": "ben", "said_on": "2025-01-04"},
            said | {"customer_id": "nobody", "said_on": "2026-01-04"},
        ],
    )
    warehouse.staging(shop.settings, TODAY)
    warehouse.features(shop.settings, TODAY)
    warehouse.profiles(shop.settings, TODAY)
    return shop


@pytest.fixture
def released(shop: SmallHome, tmp_path: Path) -> Release:
    """What was built, as a release."""
    folder = shop.settings.home.build(TODAY.id)
    shutil.copytree(folder, tmp_path / "release")
    return Release(tmp_path / "release", {"as_of": str(DAY), "known_at": str(DAY)})


def rows(folder: Path) -> dict[tuple[str, str], str]:
    file = folder / "profiles" / "customer_tags.parquet"
    found = duckdb.sql(f"select customer_id, tag, value from '{file}'").fetchall()
    return {(customer, tag): value for customer, tag, value in found}


def test_what_people_said_is_a_tag_for_as_long_as_it_holds(shop: SmallHome) -> None:
    found = rows(shop.settings.home.build(TODAY.id))
    assert [customer for customer, tag in found if tag == "key_customer"] == ["anna"]


def test_publishing_changes_exactly_what_the_difference_lists(
    shop: SmallHome, released: Release, tmp_path: Path
) -> None:
    settings, build = shop.settings, shop.settings.home.build(TODAY.id)
    assert difference(settings, released, load_tags(settings)).changes == ()
    file, said = settings.tags_dir / "basket_size.yml", settings.tags_dir / "key_customer.yml"
    before, said_before = file.read_text(), said.read_text()
    assert "basket_lines_mean >= 6 then" in before
    rule = before.split("tests:")[0]  # its own tests would refuse the change
    file.write_text(rule.replace("basket_lines_mean >= 6 then", "basket_net_mean >= 8 then"))
    said.write_text(said_before.replace("ttl_days: 182", "ttl_days: 20"))  # it was said 27 days ago
    listed = tmp_path / "who.parquet"
    try:
        difference(settings, released, load_tags(settings), out=listed)
        warehouse.profiles(settings, TODAY)
        old, new = rows(released.path), rows(build)
        changed = {(*key, old.get(key), new.get(key)) for key in old | new if old.get(key) != new.get(key)}
        assert changed == {("anna", "basket_size", "small", "medium"), ("anna", "key_customer", "yes", None)}
        assert set(duckdb.sql(f"from '{listed}'").fetchall()) == changed
    finally:
        file.write_text(before)
        said.write_text(said_before)


def test_a_broken_promise_stops_the_portraits(shop: SmallHome) -> None:
    file = shop.settings.tags_dir / "age_band.yml"
    before = file.read_text()
    file.write_text(before + "is_exhaustive: true\n")
    try:
        with pytest.raises(GateFailed, match="age_band leaves 1 customer without a value"):
            warehouse.profiles(shop.settings, TODAY)
    finally:
        file.write_text(before)


def test_what_people_have_said_since_is_in_the_difference_as_it_will_be_in_the_portraits(
    shop: SmallHome, released: Release, tmp_path: Path
) -> None:
    settings, listed = shop.settings, tmp_path / "who.parquet"
    said = {"tag": "key_customer", "said_by": "store 2"}
    shop.land(
        "manual_tags",
        DAY,
        [
            said | {"customer_id": "anna", "said_on": "2026-01-20", "value": None},  # takes it back
            said | {"customer_id": "ben", "said_on": "2026-01-20", "value": "yes"},
        ],
    )
    shop.land(
        "manual_tags", NEXT, [said | {"customer_id": "anna", "said_on": "2026-01-30", "value": "yes"}]
    )  # too late
    held = sorted(settings.home.root.rglob("*"))
    difference(settings, released, load_tags(settings), out=listed)
    assert sorted(settings.home.root.rglob("*")) == held  # the home is as it was
    for build in (warehouse.staging, warehouse.features, warehouse.profiles):
        build(settings, TODAY)
    old, new = rows(released.path), rows(settings.home.build(TODAY.id))
    changed = {(*key, old.get(key), new.get(key)) for key in old | new if old.get(key) != new.get(key)}
    assert changed == {("anna", "key_customer", "yes", None), ("ben", "key_customer", None, "yes")}
    assert set(duckdb.sql(f"from '{listed}'").fetchall()) == changed
