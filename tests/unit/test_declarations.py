"""What is wrong in a declaration is said with its file and line."""

from pathlib import Path

from huaxiang.declarations import read_declaration

TEXT = """\
name: often
windows:
  - 7
  - 28
where:
  any:
    - {column: net_amount, above: 5}
"""


def test_every_key_and_item_has_its_line(tmp_path: Path) -> None:
    path = tmp_path / "often.yml"
    path.write_text(TEXT)
    declaration = read_declaration(path, "a feature")
    assert declaration.said["windows"] == [7, 28]
    assert declaration.line("windows", 1) == 4
    assert declaration.line("where", "any", 0, "above") == 7
    assert declaration.line("where", "none") == 5, "the nearest key around it"
    assert declaration.line("owner") == 1


def test_an_error_names_file_line_key_reason_and_mend(tmp_path: Path) -> None:
    path = tmp_path / "often.yml"
    path.write_text(TEXT)
    error = read_declaration(path, "a feature").wrong("is not a window", "use 7, 28, 91 or 364", "windows", 1)
    assert str(error) == f"{path}:4: 'windows.1' is not a window; use 7, 28, 91 or 364"
