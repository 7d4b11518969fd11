"""What tag files promise is proven on all rows, and a broken promise is named with its count."""

from pathlib import Path

import duckdb
import pytest

from huaxiang.errors import GateFailed
from huaxiang.settings import Settings
from huaxiang.tags import load_tags
from huaxiang.tags.proof import prove
from tests.unit.tag_files import bare_project, tag_text, write


@pytest.fixture
def build(tmp_path: Path) -> Path:
    """Three customers: c1 has both tags, c2 one, c3 none."""
    folder = tmp_path / "build" / "profiles"
    folder.mkdir(parents=True)
    rows, people = folder / "customer_tags.parquet", folder / "customer_profiles.parquet"
    with duckdb.connect() as connection:
        connection.execute(
            "copy (select * from (values ('c1', 'a', 'yes'), ('c1', 'b', 'no'), ('c2', 'a', 'perhaps'))"
            f" as t (customer_id, tag, value)) to '{rows}' (format parquet)"
        )
        connection.execute(f"copy (select unnest(['c1', 'c2', 'c3']) as customer_id) to '{people}' (format parquet)")
    return tmp_path / "build"


@pytest.mark.parametrize(
    ("promise_of_a", "promise_of_b", "said"),
    [
        ("values: ['yes']", "", "a has a value outside its list for 1 customer"),
        ("is_exhaustive: true", "", "a leaves 1 customer without a value, but is to be exhaustive"),
        ("exclusive: mood", "exclusive: mood", r"a and b exclude each other \(mood\), but both are true of 1 customer"),
    ],
)
def test_a_broken_promise_is_named_with_its_count(
    settings: Settings, tmp_path: Path, build: Path, promise_of_a: str, promise_of_b: str, said: str
) -> None:
    project = bare_project(settings, tmp_path)
    write(project, tag_text("a", "'yes'", f"{promise_of_a}\n"), "a")
    write(project, tag_text("b", "'no'", f"{promise_of_b}\n"), "b")
    with pytest.raises(GateFailed, match=said) as error:
        prove(load_tags(project), build)
    assert "perhaps" not in str(error.value), "a value of a customer's row is not told"


def test_promises_that_hold_are_counted(settings: Settings, tmp_path: Path, build: Path) -> None:
    project = bare_project(settings, tmp_path)
    write(project, tag_text("a", "'yes'", "values: ['yes', perhaps]\nexclusive: mood\n"), "a")
    write(project, tag_text("b", "'no'", "exclusive: humour\n"), "b")
    assert prove(load_tags(project), build) == 3
