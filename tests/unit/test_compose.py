"""docker-compose.yml read as data: it is a valid compose file, and each line of the hardening list holds.

Every rule has a variant of the file that breaks it, so that no rule passes because it looks at nothing.
"""

import copy
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from huaxiang.scaled import DATABASES, make_secrets

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
FILE = ROOT / "docker-compose.yml"
COMPOSE = yaml.safe_load(FILE.read_text())
MLFLOW_NAMES = "mlflow:5000,127.0.0.1:5000,localhost:5000"
MLFLOW_ORIGINS = "http://127.0.0.1:5000,http://localhost:5000"
AIRFLOW = [name for name in COMPOSE["services"] if name.startswith("airflow-")]


def each(ask):
    """A rule for every service: the names of those that do not keep it."""
    return lambda compose: [name for name, service in compose["services"].items() if not ask(service)]


def only(service, ask):
    """A rule for one service."""
    return lambda compose: [] if ask(compose["services"][service]) else [service]


def airflow(ask):
    return lambda compose: [name for name in AIRFLOW if not ask(compose["services"][name])]


def put(service, **values):
    """The file with other values in `service`; None takes a key away."""

    def change(compose):
        compose["services"][service].update(values)
        for key in [key for key, value in values.items() if value is None]:
            del compose["services"][service][key]

    return change


def set_environment(service, **values):
    return lambda compose: compose["services"][service].setdefault("environment", {}).update(values)


def replace_in_command(service, old, new):
    def change(compose):
        command = compose["services"][service]["command"]
        compose["services"][service]["command"] = [word.replace(old, new) for word in command]

    return change


def give_network(service, name):
    return lambda compose: compose["services"][service]["networks"].append(name)


def open_inner(compose):
    compose["networks"]["inner"]["internal"] = False


def secret_in_compose(compose):
    compose["secrets"]["jwt_secret"] = {"environment": "JWT_SECRET"}


def secret_for_all(compose):
    compose["services"]["mlflow"]["secrets"].append("jwt_secret")


def writable_code(compose):
    compose["services"]["airflow-scheduler"]["volumes"].append(
        {"type": "bind", "source": "./dags", "target": "/opt/huaxiang/dags"}
    )


def one_role(compose):
    compose["services"]["mlflow"]["command"] = [
        word.replace("//mlflow@", "//postgres@") for word in compose["services"]["mlflow"]["command"]
    ]


def is_exact(service):
    name, _, tag = service["image"].partition(":")
    return bool(name) and "latest" not in tag and bool(re.fullmatch(r"[0-9]+(\.[0-9]+)+(-[a-z]+)?(@sha256:.+)?", tag))


def mounts(service):
    return service.get("volumes", [])


def asks_for_an_unprivileged_user(service):
    # Without `make secrets` there is no such variable, and compose refuses to start.
    return service.get("user", "").startswith("${HUAXIANG_UID:?") and ":${HUAXIANG_GID:?" in service["user"]


def has_limits(service):
    return all(service.get(limit) for limit in ("mem_limit", "cpus", "pids_limit"))


def is_checked(service):
    ends_by_itself = service.get("restart") == "no"
    return ends_by_itself or bool(service.get("healthcheck", {}).get("test"))


def holds_no_secret(service):
    """No variable is a secret or an address with a password: secrets are files."""
    environment = service.get("environment", {})
    named = [name for name in environment if re.search("PASSWORD|SECRET|TOKEN|KEY$", name)]
    return all(name.endswith("_FILE") for name in named) and not any(
        re.search(r"://[^/@]*:[^/@]*@", str(value)) for value in [*environment.values(), *service.get("command", [])]
    )


def secrets_come_from_files(compose):
    return [name for name, said in compose["secrets"].items() if said != {"file": f"./.secrets/{name}"}]


def only_the_proxy_can_reach_out(compose):
    inside = compose["networks"]["inner"].get("internal") is True
    # The site listens on the proxy's own loopback, so it shares its network.
    outside = [name for name, service in compose["services"].items() if service.get("networks") != ["inner"]]
    return sorted(set(outside) - {"proxy", "site"}) + ([] if inside else ["inner"])


def is_published_by_the_proxy_on_loopback(compose):
    return [
        name
        for name, service in compose["services"].items()
        for port in service.get("ports", [])
        if name != "proxy" or not port.startswith("127.0.0.1:")
    ]


def jwt_secret_is_held_by_scheduler_and_api_server(compose):
    holders = {name for name, service in compose["services"].items() if "jwt_secret" in service.get("secrets", [])}
    return sorted(holders ^ {"airflow-api-server", "airflow-scheduler"})


def code_is_read_only(service):
    folders = ("/opt/huaxiang", "/docker-entrypoint-initdb.d", "/etc")
    return all(mount.get("read_only") for mount in mounts(service) if mount["target"].startswith(folders))


def says(service, name, value):
    return service.get("environment", {}).get(name) == value


def one_role_per_service(compose):
    text = str(compose["services"])
    return [name for name in DATABASES if f"//{name}@postgres/{name}" not in text] + (
        ["postgres"] if "//postgres@" in text else []
    )


RULES = {
    "tags are exact": (each(is_exact), put("postgres", image="postgres:latest")),
    "nobody is root": (each(asks_for_an_unprivileged_user), put("proxy", user="0:0")),
    "it refuses to start without make secrets": (each(asks_for_an_unprivileged_user), put("mlflow", user="1000:1000")),
    "file systems are read-only": (each(lambda service: service.get("read_only")), put("site", read_only=False)),
    "what is temporary is in memory": (each(lambda service: service.get("tmpfs")), put("mlflow", tmpfs=None)),
    "capabilities are dropped": (each(lambda service: service.get("cap_drop") == ["ALL"]), put("proxy", cap_drop=None)),
    "none is added": (each(lambda service: not service.get("cap_add")), put("proxy", cap_add=["NET_ADMIN"])),
    "no process gains rights": (
        each(lambda service: service.get("security_opt") == ["no-new-privileges:true"]),
        put("postgres", security_opt=[]),
    ),
    "nobody is privileged": (each(lambda service: not service.get("privileged")), put("postgres", privileged=True)),
    "nobody has the engine's socket": (
        each(lambda service: "docker.sock" not in str(mounts(service))),
        put("proxy", volumes=["/var/run/docker.sock:/var/run/docker.sock"]),
    ),
    "memory, processors and processes are limited": (each(has_limits), put("spark-worker", mem_limit=None)),
    "health is checked": (each(is_checked), put("airflow-triggerer", healthcheck=None)),
    "only the proxy can reach out": (only_the_proxy_can_reach_out, give_network("spark-worker", "door")),
    "the inner network has no way out": (only_the_proxy_can_reach_out, open_inner),
    "only the proxy publishes": (is_published_by_the_proxy_on_loopback, put("postgres", ports=["127.0.0.1:5432:5432"])),
    "ports are published on loopback": (is_published_by_the_proxy_on_loopback, put("proxy", ports=["8080:8080"])),
    "no secret is in the environment": (each(holds_no_secret), set_environment("postgres", POSTGRES_PASSWORD="x")),
    "no password is in an address": (
        each(holds_no_secret),
        replace_in_command("mlflow", "mlflow@", "mlflow:hunter2@"),
    ),
    "secrets are files": (secrets_come_from_files, secret_in_compose),
    "only scheduler and API server can sign a task's token": (
        jwt_secret_is_held_by_scheduler_and_api_server,
        secret_for_all,
    ),
    "the folder of DAGs is read-only": (each(code_is_read_only), writable_code),
    "Airflow does not show its configuration": (
        airflow(lambda service: says(service, "AIRFLOW__API__EXPOSE_CONFIG", "False")),
        set_environment("airflow-api-server", AIRFLOW__API__EXPOSE_CONFIG="True"),
    ),
    "Airflow loads no examples": (
        airflow(lambda service: says(service, "AIRFLOW__CORE__LOAD_EXAMPLES", "False")),
        set_environment("airflow-dag-processor", AIRFLOW__CORE__LOAD_EXAMPLES="True"),
    ),
    "MLflow answers to its own names": (
        only("mlflow", lambda service: f"--allowed-hosts={MLFLOW_NAMES}" in service["command"]),
        replace_in_command("mlflow", "--allowed-hosts=mlflow:5000", "--allowed-hosts=*"),
    ),
    "MLflow takes no request from another site": (
        only("mlflow", lambda service: f"--cors-allowed-origins={MLFLOW_ORIGINS}" in service["command"]),
        replace_in_command("mlflow", "--cors-allowed-origins=http://127.0.0.1:5000", "--cors-allowed-origins=*"),
    ),
    "MLflow is shown in no frame": (
        only("mlflow", lambda service: "--x-frame-options=DENY" in service["command"]),
        replace_in_command("mlflow", "DENY", "NONE"),
    ),
    "MLflow runs no jobs": (
        only("mlflow", lambda service: says(service, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION", "false")),
        set_environment("mlflow", MLFLOW_SERVER_ENABLE_JOB_EXECUTION="true"),
    ),
    "MLflow tells nobody": (
        only("mlflow", lambda service: says(service, "MLFLOW_DISABLE_TELEMETRY", "true")),
        set_environment("mlflow", MLFLOW_DISABLE_TELEMETRY="false"),
    ),
    "MLflow keeps the artifacts": (
        only("mlflow", lambda service: "--serve-artifacts" in service["command"]),
        replace_in_command("mlflow", "--serve-artifacts", "--no-serve-artifacts"),
    ),
    "Postgres asks for SCRAM": (
        only("postgres", lambda service: says(service, "POSTGRES_HOST_AUTH_METHOD", "scram-sha-256")
             and says(service, "POSTGRES_INITDB_ARGS", "--auth-host=scram-sha-256 --auth-local=scram-sha-256")),
        set_environment("postgres", POSTGRES_HOST_AUTH_METHOD="trust"),
    ),
    "each service has a role of its own": (one_role_per_service, one_role),
}  # fmt: skip


@pytest.mark.parametrize("rule", RULES)
def test_the_file_keeps_the_rule(rule):
    check, _ = RULES[rule]
    assert check(COMPOSE) == []


@pytest.mark.parametrize("rule", RULES)
def test_a_file_that_breaks_the_rule_is_caught(rule):
    check, change = RULES[rule]
    broken = copy.deepcopy(COMPOSE)
    change(broken)
    assert check(broken) != []


def test_it_is_a_compose_file(tmp_path):
    assert schema_problems(FILE) == ""
    misspelt = tmp_path / "docker-compose.yml"
    misspelt.write_text(FILE.read_text().replace("healthcheck:", "healthchek:"))
    assert "healthchek" in schema_problems(misspelt)


def test_the_linter_finds_nothing_of_weight(tmp_path):
    assert subprocess.run([BIN / "compose-lint", FILE], capture_output=True, check=False).returncode == 0
    privileged = tmp_path / "docker-compose.yml"
    privileged.write_text(FILE.read_text().replace("  proxy:\n", "  proxy:\n    privileged: true\n"))
    done = subprocess.run([BIN / "compose-lint", privileged], capture_output=True, check=False)
    assert done.returncode != 0


def test_every_secret_that_it_mounts_is_made(tmp_path):
    make_secrets(tmp_path)
    mounted = {Path(said["file"]).name for said in COMPOSE["secrets"].values()}
    mounted |= {
        Path(mount["source"]).name
        for service in COMPOSE["services"].values()
        for mount in mounts(service)
        if mount["source"].startswith("./.secrets/")
    }
    assert mounted == {path.name for path in tmp_path.iterdir()}


def test_every_file_that_it_names_is_there():
    services = COMPOSE["services"].values()
    named = {service["build"]["dockerfile"] for service in services if "build" in service}
    named |= {mount["source"] for service in services for mount in mounts(service)}
    missing = [name for name in named if not name.startswith(("${", "./.secrets")) and not (ROOT / name).exists()]
    assert missing == []


def test_every_folder_that_it_mounts_is_made():
    from huaxiang.scaled import FOLDERS

    sources = {mount["source"] for service in COMPOSE["services"].values() for mount in mounts(service)}
    assert {source.rpartition("}/")[2] for source in sources if source.startswith("${HUAXIANG_DATA")} == set(FOLDERS)


@pytest.mark.parametrize("name", ["airflow", "work"])
def test_an_image_holds_the_locked_environment_and_runs_as_nobody(name):
    text = (ROOT / "docker" / f"{name}.Dockerfile").read_text()
    assert f"--require-hashes --python .venv/{name}/bin/python requirements/{name}.lock" in text
    assert re.findall(r"^USER (.+)$", text, re.MULTILINE)[-1] == "10001:10001"
    assert not re.search(r"^(ADD|ARG)\b|curl|wget|:latest", text, re.MULTILINE)


def schema_problems(path):
    words = [BIN / "check-jsonschema", "--builtin-schema", "vendor.compose-spec", path]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else done.stdout + done.stderr
