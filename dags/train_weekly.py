"""
### The models, trained anew every week

**Does** `huaxiang train`: fits every model family on the data up to the day, judges each recipe beside its one-line
baseline and the champion, and registers what wins. A refit of the champion's recipe replaces it unless it is clearly
worse; another recipe must surely win. What lost stays visible as a run.

**Reads** the landed drops known at `known_at`; it builds the training set itself, whatever the warehouse holds.
**Writes** runs, versions and aliases in MLflow. It publishes nothing: the next `profile_daily` scores with the
champions.

**The day** is the parameter `as_of`, else the local day before the logical date, as in `profile_daily`. A score's label
looks 28 days ahead, so its newest cut-off lies 28 days before the day.

**Running it again** for the same day leaves the registry as it is, since the fingerprints are the same; the runs are
added.

**One at a time**: it takes the only slot of the pool `huaxiang_home`, so it never runs beside a step of the daily run.
Between two steps it may: it trains in a copy of the warehouse, so the daily run does not notice.

**While MLflow is away** what was trained waits in the home's `mlflow_spool` and nothing is promoted: the task fails,
and its retry, the next training or the next daily run with MLflow back registers it, without training again.

**When it fails**: the task's log names the family and the reason, the other families were trained, and the champions
that score stay as they were.
"""

from datetime import timedelta

import pendulum
from _links import Models
from _steps import DAY_PARAMS, MACROS, TIME_ZONE, step
from airflow.sdk import dag


@dag(
    schedule="0 4 * * 1",
    start_date=pendulum.datetime(2017, 1, 1, tz=TIME_ZONE),
    catchup=False,
    is_paused_upon_creation=True,
    max_active_runs=1,
    default_args={"pool": "huaxiang_home", "retries": 1, "retry_delay": timedelta(minutes=5)},
    params=DAY_PARAMS,
    user_defined_macros=MACROS,
    doc_md=__doc__,
    tags=["models"],
)
def train_weekly():
    step("train", links=(Models(),))


train_weekly()
