"""The corner shop with a second source whose every text is hostile, through the real daily run to its pages."""

from __future__ import annotations

import csv
import io
import json
import shutil
from pathlib import Path

from huaxiang.settings import PROJECT, load_settings
from tests.pipeline.conftest import WORDS, home_at, run_words

SUNDAY = "2024-04-21"
HACK = "window.hacked = 1"
# Each is a customer, and the product, kind, category, store and declared words of that customer.
HOSTILE = {
    "a script": f"<script>{HACK}</script>",
    "the end of a script": f"</script><script>{HACK}</script>",
    "a comment": f"<!--<script>{HACK}",
    "an image": f"<img src=x onerror='{HACK}'>",
    "the end of an attribute": f'"><img src=x onerror="{HACK}">',
    "an attribute": f"' onmouseover='{HACK}' autofocus onfocus='{HACK}' x='",
    "an address": f"javascript:{HACK}",
    "a drawing": f"<svg/onload={HACK}>",
    "a template": "{{ 7*7 }}{% raw %}${7*7}#{7*7}",
    "an end of SQL": "x'; drop table customer_profiles; --",
    "a quoted name": 'x"; drop schema features cascade; --',
    "a member of every object": "constructor",
    "another member": "__proto__",
    "a broken escape": "%E0%A4%A#?&amp;",
    "right to left": "abc\u202edef\u2066ghi",
    "zero width": "ze\u200bro\u2060wi\u00addth",
    "separators": "one\u2028two",
    "an emoji": "\U0001f469\u200d\U0001f467 \U0001f600",
    "rare Chinese": "\U00020000\U00020bb7 客户",
    "an accent of its own": "e\u0301te\u0301",
}
NAME = f"Eck<script>{HACK}</script>{{{{ 7*7 }}}}'; drop table x; --\u202e"
WHO = "wer'; drop table landed; -- {{ 7*7 }}"
REFUSED_FILE = f"lines_20240421_<img src=x onerror='{HACK}'>{{{{ 7*7 }}}}.csv"
_MAPPING = """
tables:
  order_lines:
    file: "lines_{load_date:%Y%m%d}_*.csv"
    format: csv
    columns:
      order_line_id: line
      order_id: line
      customer_id: WHO
      product_id: product
      store_id: product
      ordered_at: bought_at
      quantity: "1"
      net_amount: paid
  products:
    file: "products_{load_date:%Y%m%d}.csv"
    format: csv
    columns:
      product_id: product
      category: product
      department: product
      product_type: product
      package_size: product
  customers:
    file: "customers_{load_date:%Y%m%d}.csv"
    format: csv
    columns:
      customer_id: product
      age_band: product
      income_band: product
      household_size: product
      children: product
      marital_status: product
      home_ownership: product
      household_type: product
""".replace("WHO", json.dumps(f'"{WHO}"'))


def run_hostile_sunday(folder: Path) -> Path:
    """Make the home and run its Sunday up to the pages; the run's build."""
    shop = shutil.copytree(PROJECT / "tests" / "data" / "tiny_shop", folder / "shop")
    said = (shop / "huaxiang.yml").read_text(encoding="utf-8")
    said = said.replace("models: [segments]", "models: []").replace("[corner_shop]", "[hostile, corner_shop]")
    (shop / "huaxiang.yml").write_text(said.replace("name: Eckladen", f"name: {json.dumps(NAME)}"), encoding="utf-8")
    (shop / "sources" / "hostile.yml").write_text(_MAPPING, encoding="utf-8")
    inbox = shop / "drops" / "hostile"
    inbox.mkdir()
    texts = list(HOSTILE.values())
    header = ["line", WHO, "product", "bought_at", "paid"]
    lines = [[f"{text} {at}", text, text, f"2024-04-{at} 10:00:00", "2.50"] for text in texts for at in (18, 20)]
    _write(inbox / "lines_20240420_.csv", header, lines)
    _write(inbox / REFUSED_FILE, header, [["z", texts[0], texts[0], "<script>", "2.50"]])
    for name in ("products", "customers"):
        _write(inbox / f"{name}_20240420.csv", ["product"], [[text] for text in texts])
    with home_at(folder / "home", shop / "huaxiang.yml"):
        assert run_words(SUNDAY, words=WORDS[: WORDS.index("release")]) == 0
        return load_settings().home.build(SUNDAY)


def _write(path: Path, header: list[str], rows: list[list[str]]) -> None:
    text = io.StringIO()
    csv.writer(text).writerows([header, *rows])
    path.write_text(text.getvalue(), encoding="utf-8", newline="")
