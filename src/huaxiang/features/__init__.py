"""Features as declarations: `features/<name>.yml`, checked, and compiled to columns of `customer_event_features`.

A feature is what one aggregation says of a customer's events in each of its windows. It is read (`declared`), its event
table looked up (`events`), and all of them together are planned (`plan`); the dbt macros of `event_features.sql` turn
the plan into SQL for either engine.
"""

from __future__ import annotations

from huaxiang.features.declared import Feature, load_features
from huaxiang.features.events import EventTable, load_events
from huaxiang.features.plan import plan
from huaxiang.profile_columns import ProfileColumn
from huaxiang.settings import Settings

__all__ = ["EventTable", "Feature", "columns", "load_events", "load_features", "plan"]


def columns(settings: Settings) -> tuple[ProfileColumn, ...]:
    """The columns of customer_event_features besides its key, in order.

    Raises BadConfiguration when a declaration cannot be used.
    """
    return tuple(
        ProfileColumn(name, feature.type, feature.needs)
        for feature in load_features(settings)
        for name in feature.columns.values()
    )
