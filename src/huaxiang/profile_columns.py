"""The columns that a tag may read: name, type and needs of each."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from huaxiang.yaml_files import read_mapping


@dataclass(frozen=True)
class ProfileColumn:
    """A column that is known of every customer; `needs` as its description declares them."""

    name: str
    type: str
    needs: tuple[str, ...]


def hand_written(project: Path) -> tuple[ProfileColumn, ...]:
    """The columns of customer_profiles in order, from the model's yml."""
    path = project / "dbt_project" / "models" / "profiles" / "customer_profiles.yml"
    said = read_mapping(path, what="the description of customer_profiles")
    return tuple(
        ProfileColumn(
            name=str(column["name"]),
            type=str(column["data_type"]),
            needs=tuple(column.get("config", {}).get("meta", {}).get("needs", ())),
        )
        for column in said["models"][0]["columns"]
    )
