"""The numbers that the dbt models go by, read from their macros, for what measures these models."""

from __future__ import annotations

import re
from pathlib import Path

from huaxiang.errors import BadConfiguration

_NUMBER = re.compile(r"macro (\w+)\(\) -%\} ([0-9.]+) \{%-")


def numbers(project: Path, file: str, *names: str) -> tuple[float, ...]:
    """What the macros `names` of `dbt_project/macros/<file>.sql` stand for, in that order.

    Raises BadConfiguration naming a macro that is not there or is no plain number.
    """
    path = project / "dbt_project" / "macros" / f"{file}.sql"
    found = dict(_NUMBER.findall(path.read_text(encoding="utf-8")))
    for name in names:
        if name not in found:
            raise BadConfiguration(
                f"{path}: no macro '{name}' that is one number; write it as {{% macro {name}() -%}} 6 {{%- endmacro %}}"
            )
    return tuple(float(found[name]) for name in names)
