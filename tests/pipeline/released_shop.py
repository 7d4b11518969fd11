"""The corner shop with a till roll on each of 28 days, and a list of new articles that is empty on quiet days."""

from __future__ import annotations

import shutil
from datetime import date, timedelta
from pathlib import Path

from huaxiang.settings import PROJECT
from tests.pipeline.conftest import home_at, run_words

SUNDAY, MONDAY = "2024-04-21", "2024-04-22"
NO_ARTICLE = b"Artikel;Gruppe\r\n"
_ARTICLES = """
  products:
    file: "{load_date:%Y%m%d}/artikel.csv"
    format: csv
    columns:
      product_id: Artikel
      category: Gruppe
"""


def release_sunday(folder: Path) -> Path:
    """Make the shop without models and release its Sunday; the folder with `home` and `shop`."""
    shop = shutil.copytree(PROJECT / "tests" / "data" / "tiny_shop", folder / "shop")
    said = (shop / "huaxiang.yml").read_text(encoding="utf-8")
    (shop / "huaxiang.yml").write_text(said.replace("models: [segments]", "models: []"), encoding="utf-8")
    with (shop / "sources" / "corner_shop.yml").open("a", encoding="utf-8") as mapping:
        mapping.write(_ARTICLES)
    for back in range(28):
        day = str(date.fromisoformat(SUNDAY) - timedelta(days=back))
        if not _folder(folder, day).exists():
            drop(folder, day, "bons.csv", till_roll(folder, day))
    drop(folder, "2024-04-19", "artikel.csv", NO_ARTICLE)
    drop(folder, SUNDAY, "artikel.csv", NO_ARTICLE + b"Kaffee;Getr\xe4nke\r\n")
    with home_at(folder / "home", shop / "huaxiang.yml"):
        assert run_words(SUNDAY) == 0
    return folder


def drop(folder: Path, day: str, name: str, content: bytes) -> None:
    _folder(folder, day).mkdir(exist_ok=True)
    (_folder(folder, day) / name).write_bytes(content)


def header(folder: Path) -> bytes:
    return (_folder(folder, SUNDAY) / "bons.csv").read_bytes().split(b"\n")[0] + b"\n"


def till_roll(folder: Path, day: str) -> bytes:
    """One coffee of one customer."""
    written = f"{date.fromisoformat(day):%d.%m.%Y}"
    return header(folder) + f"9{day};1;{written};10:00;Köln;1001;Kaffee;1;2,50;-;2,50\r\n".encode("cp1252")


def _folder(folder: Path, day: str) -> Path:
    return folder / "shop" / "drops" / "corner_shop" / day.replace("-", "")
