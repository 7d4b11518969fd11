"""The data page tells who is who, where a home recognises people."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from huaxiang import report
from huaxiang.files import write_text
from huaxiang.identity import SUMMARY
from huaxiang.settings import load_settings
from huaxiang.tables import Home
from tests.pages.homes import RUN, write_bare_home

pytestmark = pytest.mark.pages

SAID = {
    "source_ids": 5000, "persons": 2002, "joined": 4700, "largest": 6,
    "links": {"likeness": 6520, "national_id": 5601}, "told": {"device": 12}, "set_apart": 1,
    "churn": {"known_at": "2024-03-31", "since": "2024-03-30", "ids": 4000, "changed": 2, "share": 0.0005},
    "waiting": [{"kind": "email", "customers": 12}],
    "likeness": {"model": 1, "fingerprint": "78a6a79d58fac4cd"}, "decisions": 1, "accuracy": None,
}  # fmt: skip


def test_the_data_page_counts_persons_links_and_what_waits(visit: Callable, tmp_path: Path) -> None:
    settings = replace(load_settings(), home=Home(tmp_path), name="Corner", currency="EUR", time_zone="Europe/Paris")
    write_bare_home(settings)
    write_text(settings.home.build(RUN.id) / SUMMARY, json.dumps(SAID))
    report.build(settings, RUN)
    seen = visit(settings.home.build(RUN.id) / "report" / "data.html")
    text = seen.text("#who-is-who")
    assert "2,002" in text
    assert "2 (0.05%)" in text
    assert "the same device" in text
    assert "1 join would make too many customers one person and waits until somebody has looked" in text
    assert "cannot be known here" in text


def test_a_home_without_identifiers_has_no_such_section(visit: Callable, bare_report: Path) -> None:
    assert "Who is who" not in visit(bare_report / "data.html").text("main")
