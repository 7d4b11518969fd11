"""The columns that a tag can read."""

from __future__ import annotations

from dataclasses import dataclass

from huaxiang.settings import Settings
from huaxiang.yaml_files import read_mapping


@dataclass(frozen=True)
class ProfileColumn:
    """A column of a table of the portrait as its yml declares it."""

    name: str
    type: str
    needs: tuple[str, ...]


def profile_columns(settings: Settings) -> tuple[ProfileColumn, ...]:
    """The columns of customer_profiles in order, with types and needs, from the model's yml."""
    path = settings.project / "dbt_project" / "models" / "profiles" / "customer_profiles.yml"
    said = read_mapping(path, what="the description of customer_profiles")
    return tuple(
        ProfileColumn(
            name=str(column["name"]),
            type=str(column["data_type"]),
            needs=tuple(column.get("config", {}).get("meta", {}).get("needs", ())),
        )
        for column in said["models"][0]["columns"]
    )


def tag_columns(settings: Settings) -> tuple[ProfileColumn, ...]:
    """All columns a tag can read: those of the portrait."""
    return profile_columns(settings)
