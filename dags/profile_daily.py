"""
### The released portrait of every customer, every day

**Does** the daily run, one task per word: `landing -> staging -> features -> models -> profiles -> report -> release`.
Each task is one `huaxiang` command; the line in its log can be pasted into a shell.

**Reads** the drops in `var/inbox` that were loaded on days up to `known_at`. **Writes** `var/releases/<release_id>/`
and points `var/CURRENT` at it, in one atomic step at the very end; until then readers see the release before.

**The day** is the parameter `as_of`, else the local day before the logical date: the run of midnight is about the day
that has just ended. `known_at` (default: `as_of`) says up to which load day drops are known.

**Running it again** for the same day changes nothing: the same inputs, code and models give the same release. A task
that fails on bad data is not retried, since the data would still be bad: its message says which check, how many rows
and where they are. What can heal by itself is, twice, after 30 s: a command that was killed, a Spark session that died,
a home that another command writes to. A worker that died with its task is noticed after three minutes at most.

**One at a time**: every task takes the only slot of the pool `huaxiang_home`, and one run is active at once, since one
process writes the DuckDB file. **Back-fill** with `huaxiang airflow backfill create --dag-id profile_daily ...`, oldest
day first.

**It waits to be let go**: the DAG is paused until somebody unpauses it, so looking at Airflow starts nothing. After the
home's `last_day` (the example's data end in 2017) a run skips its tasks, since nothing is due.

**Links**: the task `release` leads to the pages it published and to its run in MLflow, `models` to the models there.

**When it fails at night**: `docs/runbooks/daily-run-failed.md`.
"""

import pendulum
from _links import Models, ReleaseRun, Report
from _steps import DAY_PARAMS, HEALS, MACROS, TIME_ZONE, step
from airflow.sdk import Asset, chain, dag

RELEASE = Asset(name="release", uri="huaxiang://release")


@dag(
    schedule="@daily",
    start_date=pendulum.datetime(2017, 1, 1, tz=TIME_ZONE),
    catchup=False,
    is_paused_upon_creation=True,
    max_active_runs=1,
    default_args={"pool": "huaxiang_home", **HEALS},
    params=DAY_PARAMS,
    user_defined_macros=MACROS,
    doc_md=__doc__,
    tags=["profiles"],
)
def profile_daily():
    chain(
        step("landing"),
        step("staging"),
        step("features"),
        step("models", links=(Models(),)),
        step("profiles"),
        step("report"),
        step("release", links=(Report(), ReleaseRun()), outlets=[RELEASE]),
    )


profile_daily()
