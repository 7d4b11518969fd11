"""Where a family's work is done: in this process while it is little, as Spark jobs when it is much."""

from __future__ import annotations

import os

from huaxiang.errors import BadConfiguration

VARIABLE = "HUAXIANG_MODELS_ENGINE"
LAPTOP, SPARK = "laptop", "spark"


def chosen(rows: int, most: int) -> str:
    """`laptop` up to `most` rows, `spark` above; `HUAXIANG_MODELS_ENGINE` decides where it is set.

    The same rows choose the same engine on every machine. Raises BadConfiguration for an unknown one.
    """
    said = os.environ.get(VARIABLE)
    if said and said not in (LAPTOP, SPARK):
        raise BadConfiguration(f"{VARIABLE}={said}: there are '{LAPTOP}' and '{SPARK}'; unset it to choose by size")
    return said or (SPARK if rows > most else LAPTOP)
