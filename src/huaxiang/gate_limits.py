"""How much a gate tolerates: every threshold of the quality checks, in one place.

A home states its own in `huaxiang.yml` under `gates:`, for example `gates: {stale_critical_days: 8}` for weekly drops.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from huaxiang.errors import BadConfiguration


@dataclass(frozen=True)
class GateLimits:
    """Thresholds by name: `_share` and `_ratio` are fractions (0.05 is 5 %), `_days` and `_records` are counts."""

    stale_warning_days: int = 1  # one day without a drop happens: shops close on a holiday
    stale_critical_days: int = 3
    usual_days: int = 28  # the newest day is compared with the median of so many load days before it
    quiet_ratio: float = 0.4  # a real Thanksgiving has half the usual lines, so less than that is worth a word
    busy_ratio: float = 3.0
    daily_share: float = 0.9  # a table with files on fewer of its last usual_days does not come every day
    daily_from_days: int = 7  # fewer days than this show no habit
    refused_warning_share: float = 0.005
    refused_critical_share: float = 0.05
    refused_critical_records: int = 10  # fewer than this say little about a share: a warning is enough
    empty_warning_share: float = 0.02
    uncovered_warning_share: float = 0.02
    lost_customers_critical_share: float = 0.02
    smallest_segment_warning_share: float = 0.01
    drift_warning_index: float = 0.25  # population stability index: from here on much has moved (Siddiqi 2006)


def read_limits(said: object, where: str) -> GateLimits:
    """The defaults with what a home says about them. `where` names the file in the error message.

    Raises BadConfiguration for an unknown name, a value of a wrong kind or a share above 1.
    """
    if said is None:
        return GateLimits()
    if not isinstance(said, Mapping):
        raise BadConfiguration(f"{where}: 'gates' must map names of limits to numbers, such as stale_critical_days: 8")
    return GateLimits(**{str(name): _value(str(name), value, where) for name, value in said.items()})


def _value(name: str, value: Any, where: str) -> Any:
    kinds: dict[str, type] = {field.name: type(field.default) for field in fields(GateLimits)}
    if name not in kinds:
        raise BadConfiguration(f"{where}: gates has no limit '{name}'; the limits are {', '.join(sorted(kinds))}")
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if kinds[name] is int and not (is_number and value == int(value) and value >= 0):
        raise BadConfiguration(f"{where}: gates.{name} must be a whole number of 0 or more")
    if not is_number or not 0 <= value < float("inf"):
        raise BadConfiguration(f"{where}: gates.{name} must be a number of 0 or more")
    if name.endswith("_share") and value > 1:
        raise BadConfiguration(f"{where}: gates.{name} is a share between 0 and 1; write 5 % as 0.05")
    return kinds[name](value)
