"""One Spark session for all tests of the run, and one landed sample of the real data; made when first asked for."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from huaxiang import landing, lease
from huaxiang.settings import Run, Settings, load_settings
from huaxiang.simulate import simulate
from huaxiang.tables import Home

SAMPLE_DAY = date(2017, 11, 30)


@pytest.fixture(scope="session")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator:
    from spark_jobs.session import session

    folder = tmp_path_factory.mktemp("spark")
    started = session(folder, folder / "spark.log")
    yield started
    started.stop()


@pytest.fixture(scope="session")
def landed(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """200 real households and 60 days, landed. Tests that build on it copy it (`copy_of`)."""
    root = tmp_path_factory.mktemp("sample")
    settings = replace(load_settings(), home=Home(root / "landed"), inbox=root / "inbox")
    simulate(settings, "complete_journey", SAMPLE_DAY, since=date(2017, 10, 2), customers=200)
    for drop in sorted(settings.inbox.glob("**/*promotions*"))[2:]:
        drop.unlink()  # a million rows that one view reads: two weeks of them are enough
    correct_an_old_line(settings.inbox / "complete_journey" / "pos")
    run = Run(SAMPLE_DAY, SAMPLE_DAY)
    with lease.hold(settings, "landing"):
        lease.begin(settings, run)
        landing.land(settings, run)
    return settings


def correct_an_old_line(drops: Path) -> None:
    """The day's drop also says anew what a line of 5 October cost, so that an old day is built again."""
    old = (drops / "sales_2017-10-05.csv").read_text().splitlines()
    row = dict(zip(old[0].split(","), old[-1].split(","), strict=True)) | {"sales_value": "77.77"}
    with (drops / f"sales_{SAMPLE_DAY}.csv").open("a") as drop:
        drop.write(",".join(row.values()) + "\n")


def copy_of(settings: Settings, name: str, **changes) -> Settings:
    """The same home once more, in a folder of that name beside it."""
    root = settings.home.root.with_name(name)
    shutil.copytree(settings.home.root, root)
    return replace(settings, home=Home(root), **changes)
