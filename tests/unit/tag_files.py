"""A project with contracts and models but no tags: a test writes the tag files it needs."""

import json
from dataclasses import replace
from pathlib import Path

from huaxiang.settings import Settings

GOOD = """
name: often
title: Often
description: Comes often.
tree: behaviour/rhythm
kind: rule
value: case when order_count_28d >= 4 then 'yes' end
evidence: "'orders in 28 days: ' || cast(order_count_28d as string)"
owner: campaigns
purpose: see how customers shop
personal_data: pseudonymous
version: 1
ttl_days: 7
"""


def bare_project(settings: Settings, folder: Path) -> Settings:
    """The settings, of the project without its tags."""
    (folder / "project" / "tags").mkdir(parents=True)
    for part in ("contracts", "dbt_project"):
        (folder / "project" / part).symlink_to(settings.project / part)
    return replace(settings, project=folder / "project")


def write(project: Settings, text: str, name: str = "often") -> None:
    (project.tags_dir / f"{name}.yml").write_text(text)


def tag_text(name: str, value: str, more: str = "") -> str:
    """A tag file of that name and rule; `more` are further lines of YAML."""
    text = GOOD.replace("name: often", f"name: {name}").replace(
        "case when order_count_28d >= 4 then 'yes' end", json.dumps(value)
    )
    return text + more
