"""The words of the flow, run in this process on a small home made from the real data."""

import contextlib

import pytest

from huaxiang import cli
from huaxiang.settings import PROJECT

WORDS = ("landing", "staging", "features", "models", "profiles", "report", "release")


def run_words(as_of: str, words=WORDS) -> int:
    """Run the words in turn; the exit code of the first that fails, else 0."""
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
