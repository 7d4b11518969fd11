"""One Spark session for all tests of the run, started when the first test asks for it."""

from collections.abc import Iterator

import pytest


@pytest.fixture(scope="session")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator:
    from spark_jobs.session import session

    folder = tmp_path_factory.mktemp("spark")
    started = session(folder, folder / "spark.log")
    yield started
    started.stop()
