import re
import shutil
from pathlib import Path

import pytest

from huaxiang.errors import BadConfiguration
from huaxiang.reference import commands, dependencies, markdown, tables, write_reference
from huaxiang.tables import RELEASED

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def fresh(tmp_path_factory) -> Path:
    """All that the reference is made from, with a reference that is fresh."""
    project = tmp_path_factory.mktemp("fresh")
    for folder in ("contracts", "tags", "features", "requirements", "docs/reference", "dbt_project/models"):
        shutil.copytree(ROOT / folder, project / folder)
    shutil.copy(ROOT / "Makefile", project)
    assert write_reference(project, only_check=False) == 0
    return project


@pytest.fixture
def project(fresh, tmp_path) -> Path:
    """A copy of it to change."""
    return shutil.copytree(fresh, tmp_path / "project")


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_the_reference_is_fresh_after_it_was_written_and_a_check_writes_nothing(project, capsys):
    before = {path: path.stat().st_mtime_ns for path in (project / "docs").rglob("*.md")}
    assert write_reference(project, only_check=True) == 0
    assert before == {path: path.stat().st_mtime_ns for path in (project / "docs").rglob("*.md")}
    assert "up to date" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("file", "old", "new", "page"),
    [
        ("contracts/order_lines.yml", "description: Who bought.", "description: Who paid.", "tables.md"),
        ("dbt_project/models/staging/stg_stores.yml", "One row per store", "One row per shop", "tables.md"),
        ("Makefile", "## List the targets.", "## Name the targets.", "commands.md"),
    ],
)
def test_a_change_of_what_a_page_is_made_from_makes_the_page_stale(project, capsys, file, old, new, page):
    stale = (project / "docs/reference" / page).read_text()
    change(project / file, old, new)
    capsys.readouterr()
    assert write_reference(project, only_check=True) == 1
    said = capsys.readouterr().out
    assert said == f"docs       docs/reference/{page} is stale: run 'huaxiang docs' and keep the page it writes\n"
    assert (project / "docs/reference" / page).read_text() == stale


def test_a_page_changed_by_hand_or_lost_is_written_again(project):
    page = project / "docs/reference/tags.md"
    fresh = page.read_text()
    page.write_text(fresh + "by hand")
    assert write_reference(project, only_check=True) == 1
    page.unlink()
    assert write_reference(project, only_check=True) == 1
    assert write_reference(project, only_check=False) == 0
    assert page.read_text() == fresh


def test_a_dependency_without_a_line_is_named(project, capsys):
    with (project / "requirements/work.in").open("a") as file:
        file.write("left_pad>=1  # a comment\n")
    capsys.readouterr()
    assert write_reference(project, only_check=True) == 1
    assert "requirements/work.in names 'left-pad'" in capsys.readouterr().out
    with (project / "docs/reference/dependencies.md").open("a") as file:
        file.write("- `Left.Pad`: pads on the left.\n")
    assert write_reference(project, only_check=True) == 0


def test_a_line_without_a_dependency_is_named(project):
    change(project / "requirements/uv.in", "uv==", "# uv==")
    assert dependencies.problems(project) == [
        "docs/reference/dependencies.md explains 'uv', which no requirements/*.in names: remove its line"
    ]


def test_a_model_without_a_description_is_named_with_the_file_to_write(project):
    (project / "dbt_project/models/staging/stg_stores.yml").unlink()
    with pytest.raises(
        BadConfiguration, match=r"stg_stores\.sql: the model has no description; say its grain in stg_stores\.yml"
    ):
        tables.page(project)


def test_every_released_table_leads_to_its_columns():
    page = tables.page(ROOT)
    missing = [
        table.name for table in RELEASED if f"\n#### {table.name}\n" not in page or f"](#{table.name})" not in page
    ]
    assert missing == []


def test_the_help_on_the_page_does_not_depend_on_the_terminal(monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    wide = commands.page(ROOT)
    monkeypatch.setenv("COLUMNS", "40")
    assert commands.page(ROOT) == wide


def test_every_setting_by_the_environment_is_on_the_page():
    """All HUAXIANG_ variables that the code reads, but those one of our own commands sets for another."""
    internal = {"HUAXIANG_BUILD", "HUAXIANG_PROGRESS_FILE", "HUAXIANG_TIME_ZONE", "HUAXIANG_WAREHOUSE"}
    code = [path for folder in ("src", "spark_jobs", "expectations", "tests") for path in (ROOT / folder).rglob("*.py")]
    read = {name for path in code for name in re.findall(r"\"(HUAXIANG_[A-Z_]+)\"", path.read_text())}
    assert read - internal == set(re.findall(r"`(HUAXIANG_[A-Z_]+)`", commands.page(ROOT)))


def test_a_bar_in_a_text_does_not_end_the_cell_and_an_empty_column_is_left_out():
    assert markdown.table(["A", "B", "C"], [("x | y", "", "1"), ("z", "", "2")]) == [
        "| A | C |",
        "| --- | --- |",
        "| x \\| y | 1 |",
        "| z | 2 |",
        "",
    ]


def test_a_dbt_test_is_said_with_its_arguments():
    assert tables._test("not_null") == "not null"
    assert (
        tables._test({"is_key": {"arguments": {"columns": ["customer_id", "tag"]}}}) == "is key (`customer_id`, `tag`)"
    )
    assert (
        tables._test({"name": "x", "accepted_values": {"values": ["a"], "config": {"severity": "warn"}}})
        == "accepted values (`a`)"
    )
