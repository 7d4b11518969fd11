"""Where the services of a home listen: three ports of 127.0.0.1, each with an environment variable that moves it.

Standard library only, and no settings file: the doctor asks before anything is installed.
"""

from __future__ import annotations

import os

from huaxiang.errors import BadConfiguration

AIRFLOW, MLFLOW, SITE = "Airflow", "MLflow", "the report site"
DEFAULTS = {AIRFLOW: 8080, MLFLOW: 5000, SITE: 8088}
VARIABLES = {AIRFLOW: "HUAXIANG_PORT_AIRFLOW", MLFLOW: "HUAXIANG_PORT_MLFLOW", SITE: "HUAXIANG_PORT_SITE"}


def ports() -> dict[str, int]:
    """Port of each service. Raises BadConfiguration when a variable holds no port, or two services share one."""
    found: dict[str, int] = {}
    for service, variable in VARIABLES.items():
        said = os.environ.get(variable) or str(DEFAULTS[service])
        if not said.isascii() or not said.isdigit() or not 1 <= int(said) <= 65535:
            raise BadConfiguration(f"{variable} is '{said}': set it to a port from 1 to 65535, or unset it")
        if int(said) in found.values():
            raise BadConfiguration(f"{variable} is {said}, which another service has: give {service} a port of its own")
        found[service] = int(said)
    return found


def url(service: str) -> str:
    """The address a browser opens, such as http://127.0.0.1:8080."""
    return f"http://127.0.0.1:{ports()[service]}"
