"""What all tests share: a home of their own."""

import os
import shutil
import sys
from dataclasses import replace
from pathlib import PurePosixPath

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


def pytest_xdist_make_scheduler(config, log):
    """With several workers, tests of one folder run in one of them: they share a Spark session or a released home.

    The groups of pytest-xdist itself (`--dist loadgroup`) are written into node ids, which pytest 9.2 no longer reads.
    """
    from xdist.scheduler import LoadScopeScheduling

    class ByFolder(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            path = PurePosixPath(nodeid.partition("::")[0])
            return str(path if path.parent.name in APART else path.parent)

    return ByFolder(config, log)


def pytest_terminal_summary(terminalreporter) -> None:
    if not chromium():
        terminalreporter.write_line(
            "The page tests did not run: there is no browser. Install one with 'apt-get install chromium'.", yellow=True
        )
