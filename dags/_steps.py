"""What the DAGs share: a task is one `huaxiang` command, and the day a run is about."""

import os
from pathlib import Path

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import Param

PROJECT = Path(__file__).resolve().parents[1]
TIME_ZONE = os.environ.get("HUAXIANG_TIME_ZONE", "UTC")

# The run's parameter, else the local day before its logical date (a run triggered by hand has none: then before the
# moment it may start). So the scheduled run just after midnight is about the day that has ended, back-fills alike.
AS_OF = (
    "{{ params.as_of or (dag_run.logical_date or dag_run.run_after)"
    ".in_timezone('" + TIME_ZONE + "').subtract(days=1).to_date_string() }}"
)
KNOWN_AT = "{{ params.known_at or '' }}"
DAY_PARAMS = {
    "as_of": Param(None, type=["null", "string"], format="date", description="the day; default: before the run's"),
    "known_at": Param(None, type=["null", "string"], format="date", description="drops up to this day; default: as_of"),
}


def step(word: str, **options) -> BashOperator:
    """The task `word`. Values reach the command through the environment; the log shows it as it can be pasted."""
    return BashOperator(
        task_id=word,
        bash_command=f'set -x; "$HUAXIANG" {word} --as-of "$AS_OF" ${{KNOWN_AT:+--known-at "$KNOWN_AT"}}',
        env={"HUAXIANG": str(PROJECT / ".venv/work/bin/huaxiang"), "AS_OF": AS_OF, "KNOWN_AT": KNOWN_AT},
        append_env=True,
        cwd=str(PROJECT),
        **options,
    )
