"""What a tag's expressions may read: the columns of customer_profiles, and what is joined to them."""

from __future__ import annotations

from huaxiang.features import columns as feature_columns
from huaxiang.profile_columns import ProfileColumn, hand_written
from huaxiang.settings import Settings

__all__ = ["ProfileColumn", "profile_columns", "tag_columns"]


def profile_columns(settings: Settings) -> tuple[ProfileColumn, ...]:
    """The columns of customer_profiles in order, with types and needs, from the model's yml."""
    return hand_written(settings.project)


def tag_columns(settings: Settings) -> tuple[ProfileColumn, ...]:
    """The columns of the rows that tags are compiled over: the profile joined with the declared features."""
    return (*profile_columns(settings), *feature_columns(settings))
