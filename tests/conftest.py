"""What all tests share: a home of their own."""

import os
import shutil
import sys
from dataclasses import replace

import pytest

from huaxiang.settings import Settings, load_settings
from huaxiang.tables import Home

# In a worker of pytest-xdist the main module has no file, which pyspark takes for a run of its own doctests.
vars(sys.modules["__main__"]).setdefault("__file__", __file__)

# Folders whose files share nothing that is costly to make.
APART = ("unit", "airflow", "gates")


@pytest.fixture
def settings(tmp_path) -> Settings:
    """The out-of-the-box settings with an empty home."""
    return replace(load_settings(), home=Home(tmp_path / "home"), inbox=tmp_path / "home" / "inbox")


def chromium() -> str | None:
    """The browser of the page tests: HUAXIANG_CHROMIUM, else Debian's."""
    return os.environ.get("HUAXIANG_CHROMIUM") or shutil.which("chromium")


def pytest_collection_modifyitems(items) -> None:
    """Tests of one folder run in one process when there are several: they share a Spark session or a released home."""
    for item in items:
        folder = item.path.relative_to(item.config.rootpath).parts[1]
        item.add_marker(pytest.mark.xdist_group(item.path.stem if folder in APART else folder))


def pytest_terminal_summary(terminalreporter) -> None:
    if not chromium():
        terminalreporter.write_line(
            "The page tests did not run: there is no browser. Install one with 'apt-get install chromium'.", yellow=True
        )
