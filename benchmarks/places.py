"""What an order comes to in a place, foretold: `python -m benchmarks.places --as-of 2017-12-30`.

At each of three days 91 days apart the mean of all, each store's own mean and the one drawn to all (`places`) stand
beside the store's own mean of the 91 days after. Reads the home as it is.
"""

from __future__ import annotations

import argparse
from datetime import date, timedelta

import numpy as np

from huaxiang import warehouse
from huaxiang.judging import resampling
from huaxiang.settings import Run, load_settings
from huaxiang.steps import StepLog
from huaxiang.warehouse import state

WINDOW, CUT_OFFS = timedelta(days=91), 3
_PAIRS = """
    select
        before.basket_mean, before.basket_expected, after.basket_mean, after.customer_count,
        sum(before.basket_mean * before.customer_count) over (partition by before.as_of)
        / sum(before.customer_count) over (partition by before.as_of)
    from features.places as before
    inner join features.places as after using (level, place_id)
    where before.level = 'store' and after.as_of = before.as_of + 91
    order by before.as_of, place_id
"""


def main() -> None:
    """Print each foretelling's root mean square error, and the paired gain over the mean of all and the own mean."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.places", description=__doc__)
    parser.add_argument("--as-of", type=date.fromisoformat, required=True)
    run = Run(*2 * [parser.parse_args().as_of])
    settings = load_settings()
    with warehouse.training_build(settings, run) as private:
        days = [run.as_of - number * WINDOW for number in range(1, CUT_OFFS + 1)]
        warehouse.training_set(private, run, days, StepLog("train"))
        with state.reading(private) as connection:
            found = np.array(connection.execute(_PAIRS).fetchall(), dtype=float)
    own, expected, later, customers, everybody = found.T
    print(f"{len(later)} pairs of a store's days, {customers.sum():,.0f} customers later")
    drawn = resampling.draws(len(later), 1000, seed=0)
    weights = customers[:, None] * drawn

    def error(foretold: np.ndarray) -> resampling.Replicates:
        return resampling.of_draws(np.sqrt(((foretold - later) ** 2) @ weights / weights.sum(axis=0)))

    errors = {"mean of all": error(everybody), "own mean": error(own), "drawn to the mean of all": error(expected)}
    for name, one in errors.items():
        print(f"{name}: {one.value:.2f}")
    for name in ("mean of all", "own mean"):
        gain = errors["drawn to the mean of all"].minus(errors[name]).interval()
        print(f"drawn minus {name}: {gain.value:+.2f} [{gain.low:+.2f}, {gain.high:+.2f}]")


if __name__ == "__main__":
    main()
