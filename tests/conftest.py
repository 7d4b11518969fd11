"""What all tests share: a home of their own."""

import os
import shutil
from dataclasses import replace

import pytest

from huaxiang.settings import Settings, load_settings
from huaxiang.tables import Home


@pytest.fixture
def settings(tmp_path) -> Settings:
    """The out-of-the-box settings with an empty home."""
    return replace(load_settings(), home=Home(tmp_path / "home"), inbox=tmp_path / "home" / "inbox")


def chromium() -> str | None:
    """The browser of the page tests: HUAXIANG_CHROMIUM, else Debian's."""
    return os.environ.get("HUAXIANG_CHROMIUM") or shutil.which("chromium")


def pytest_terminal_summary(terminalreporter) -> None:
    if not chromium():
        terminalreporter.write_line(
            "The page tests did not run: there is no browser. Install one with 'apt-get install chromium'.", yellow=True
        )
