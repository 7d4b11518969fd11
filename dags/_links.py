"""From a task to what it made: its report page and its MLflow run, as buttons on the task's page in Airflow.

Airflow asks for an address when the task has ended and keeps it; a task that made nothing has no address.
"""

import json
import os
from pathlib import Path

from airflow.sdk import BaseOperatorLink


class Report(BaseOperatorLink):
    """The pages of the release that the task published."""

    name = "Report"

    def get_link(self, operator, *, ti_key) -> str:
        release = _published(operator.env)
        return (
            f"{os.environ['HUAXIANG_URL_SITE']}/releases/{release['release_id']}/report/index.html" if release else ""
        )


class ReleaseRun(BaseOperatorLink):
    """The release as a run in MLflow, linked there to every model version it used."""

    name = "MLflow run"

    def get_link(self, operator, *, ti_key) -> str:
        run = (_published(operator.env) or {}).get("mlflow_run_id")
        return f"{os.environ['HUAXIANG_URL_MLFLOW']}/#/runs/{run}" if run else ""


class Models(BaseOperatorLink):
    """The registered models with their champions."""

    name = "MLflow models"

    def get_link(self, operator, *, ti_key) -> str:
        return f"{os.environ['HUAXIANG_URL_MLFLOW']}/#/models"


def _published(env: dict[str, str]) -> dict | None:
    """Manifest of the newest release of the task's day."""
    wanted = (env["AS_OF"], env["KNOWN_AT"] or env["AS_OF"])
    found = Path(os.environ["HUAXIANG_HOME"], "releases").glob(f"{env['AS_OF']}-*/MANIFEST.json")
    manifests = [json.loads(path.read_text(encoding="utf-8")) for path in found]
    of_day = [said for said in manifests if (said["as_of"], said["known_at"]) == wanted]
    return max(of_day, key=lambda said: said["fence"], default=None)
