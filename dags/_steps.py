"""What the DAGs share: a task is one `huaxiang` command, and the day a run is about."""

import os
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import Param
from airflow.sdk.exceptions import AirflowException, AirflowFailException

PROJECT = Path(__file__).resolve().parents[1]
TIME_ZONE = os.environ.get("HUAXIANG_TIME_ZONE", "UTC")

# The run's parameter, else the local day before its logical date (a run triggered by hand has none: then before the
# moment it may start). So the scheduled run just after midnight is about the day that has ended, back-fills alike.
# A run that a release started is about the day of that release.
AS_OF = (
    "{{ params.as_of or released_day(triggering_asset_events | default({})) or "
    "day_before(dag_run.logical_date or dag_run.run_after) }}"
)
KNOWN_AT = "{{ params.known_at or '' }}"
DAY_PARAMS = {
    "as_of": Param(None, type=["null", "string"], format="date", description="the day; default: before the run's"),
    "known_at": Param(None, type=["null", "string"], format="date", description="drops up to this day; default: as_of"),
}
# So that dbt's lineage events say which task they belong to; empty where OpenLineage is switched off.
LINEAGE_PARENT = (
    "{% if macros.OpenLineageProviderPlugin is defined %}"
    "{{ macros.OpenLineageProviderPlugin.lineage_parent_id(task_instance) }}{% endif %}"
)


def day_before(moment: datetime) -> str:
    """The local day before the one of `moment`, which a scheduler gives as a plain datetime, not as Airflow's own."""
    return (moment.astimezone(ZoneInfo(TIME_ZONE)).date() - timedelta(days=1)).isoformat()


def released_day(events) -> str | None:
    """The day of the newest release among the asset events that started a run; None where a clock started it."""
    days = [event.extra["as_of"] for found in (events or {}).values() for event in found if "as_of" in event.extra]
    return max(days, default=None)


MACROS = {"day_before": day_before, "released_day": released_day}

# What may heal by itself: a command that was killed (by the kernel for want of memory, with its machine, with its
# worker) or that ended with exit code 75: Spark died, MLflow is away, another command writes to the home.
HEALS = {"retries": 2, "retry_delay": timedelta(seconds=30)}
DECIDED = "exit code 1."


class Step(BashOperator):
    """A `huaxiang` command. One that has found fault (exit code 1: bad data, a failed gate) would find it again."""

    def execute(self, context):
        try:
            said = super().execute(context)
            for asset in self.outlets:
                context["outlet_events"][asset].extra = {"as_of": self.env["AS_OF"]}
            return said
        except AirflowException as error:
            if str(error).endswith(DECIDED):
                raise AirflowFailException(f"{error} It would fail again, so it is not retried.") from error
            raise


def step(word: str, links=(), **options) -> BashOperator:
    """The task `word`, named after its first part, with `links` as buttons on its page.

    Values reach the command through the environment; the log shows it as it can be pasted. Exit code 99 says that
    nothing is due: the task is skipped, and those after it.
    """
    task = Step(
        task_id=word.partition(" ")[0],
        bash_command=f'set -x; "$HUAXIANG" {word} --as-of "$AS_OF" ${{KNOWN_AT:+--known-at "$KNOWN_AT"}}',
        env={
            "HUAXIANG": str(PROJECT / ".venv/work/bin/huaxiang"),
            "AS_OF": AS_OF,
            "KNOWN_AT": KNOWN_AT,
            "OPENLINEAGE_PARENT_ID": LINEAGE_PARENT,
        },
        append_env=True,
        cwd=str(PROJECT),
        **options,
    )
    task.operator_extra_links = links
    return task
