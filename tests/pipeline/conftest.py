"""The words of the flow, run in this process on a small home made from the real data."""

import contextlib
import shutil

import pytest

from expectations import runner
from huaxiang import cli
from huaxiang.settings import PROJECT

WORDS = ("landing", "staging", "features", "models", "profiles", "report", "release")


def run_words(as_of: str, words=WORDS) -> int:
    """Run the words in turn; the exit code of the first that fails, else 0.

    Great Expectations is imported once for all days of the tests, not by a second process of each gate.
    """
    runner.get_ready()
    for word in words:
        code = cli.main([word, "--as-of", as_of])
        if code:
            return code
    return 0


@contextlib.contextmanager
def home_at(path, config=PROJECT / "huaxiang.yml"):
    """Make `path` the home, and `config` what it is, while the body runs."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HUAXIANG_HOME", str(path))
        patch.setenv("HUAXIANG_CONFIG", str(config))
        yield path


@pytest.fixture(scope="session")
def released(tmp_path_factory):
    """The corner shop whose Sunday is released: see released_shop.py."""
    from tests.pipeline.released_shop import release_sunday

    return release_sunday(tmp_path_factory.mktemp("corner_shop"))


@pytest.fixture
def shop(released, tmp_path):
    """A copy of it for one test to spoil: the folder with `home` and `shop`."""
    folder = shutil.copytree(released, tmp_path / "copy")
    with home_at(folder / "home", folder / "shop" / "huaxiang.yml"):
        yield folder
