"""
### A model's way from drift to champion

**Does**, one task per step: `propose -> train -> shadow -> candidates -> decide -> promote` or `reject`.

- *propose* reads the day's release: which models are old (`retrain_days` of `huaxiang.yml`), and where customers or
  scores have moved far since the models are in use. Where all is well the run ends here, its tasks skipped.
- *train* fits the families of the proposed models and judges every recipe on the past, beside its one-line baseline and
  the champion. A refit of the champion's recipe wins unless it is clearly worse; another recipe must surely win. What
  wins is a *candidate*: nothing scores with it yet. What lost stays visible as a run.
- *shadow* lets the candidates score the day beside the champions, for nobody to see. One that covers fewer customers,
  says what is no probability or takes far longer is rejected.
- *candidates* and *decide*: with `approval: person` in `huaxiang.yml` the run waits here for a person, who sees the
  evidence under *Required actions* and chooses. With `approval: rule` both are skipped.
- *promote* makes what has passed the champion; *reject* lets it go. Versions, figures and the decision stay in MLflow.

**Runs** every week, and after every release, so a drift is answered on the day on which it is seen. A model that was
proposed is not proposed again for a week.

**Reads** the release, and the landed drops known at `known_at`; it builds the training set itself, whatever the
warehouse holds. **Writes** runs, versions and aliases in MLflow, and `var/proposals`. It publishes nothing: the next
`profile_daily` scores with the champions.

**The day** is the parameter `as_of`, else that of the release which started the run, else the local day before the
logical date. A score's label looks 28 days ahead, so its newest cut-off lies 28 days before the day.

**Running it again** for the same day leaves the registry as it is, since the fingerprints are the same; the runs are
added.

**One at a time**: each task takes the only slot of the pool `huaxiang_home`, so it never runs beside a step of the
daily run; one that waits for a person takes none. Between two steps of the daily run it may: it trains in a copy of
the warehouse, so the daily run does not notice.

**While MLflow is away** what was trained waits in the home's `mlflow_spool` and nothing is promoted: the task fails,
and its retry, the next training or the next daily run with MLflow back registers it, without training again.

**When it fails**: the task's log names the family and the reason, the other families were trained, and the champions
that score stay as they were.
"""

from datetime import timedelta

import pendulum
from _links import Models
from _steps import DAY_PARAMS, MACROS, TIME_ZONE, step
from airflow.providers.standard.operators.hitl import HITLBranchOperator
from airflow.sdk import Asset, AssetOrTimeSchedule, CronTriggerTimetable, chain, dag

RELEASE = Asset(name="release", uri="huaxiang://release")


@dag(
    schedule=AssetOrTimeSchedule(timetable=CronTriggerTimetable("0 4 * * 1", timezone=TIME_ZONE), assets=[RELEASE]),
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
    shadow = step("shadow", links=(Models(),))
    # Without a decision to wait for the candidates are promoted; where a person chose the other way, nothing is.
    promote = step("promote", links=(Models(),), trigger_rule="none_failed_min_one_success")
    decide = HITLBranchOperator(
        task_id="decide",
        subject="Candidates for {{ params.as_of or ts }}: promote them?",
        body="{{ ti.xcom_pull(task_ids='candidates') }}",
        options=["promote", "reject"],
        pool="default_pool",
    )
    chain(step("propose"), step("train proposed", links=(Models(),)), shadow, step("candidates"), decide)
    shadow >> promote
    decide >> [promote, step("reject", links=(Models(),))]


train_weekly()
