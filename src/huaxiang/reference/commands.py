"""docs/reference/commands.md: every `huaxiang` word and every `make` target, as they describe themselves."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

from huaxiang.reference import markdown

WIDTH = 100
_TARGET = re.compile(r"^([a-z-]+):.*?## (.+)$", re.MULTILINE)
_ENVIRONMENT = (
    ("HUAXIANG_HOME", "The folder that holds all that is not code; default `var/` in the checkout."),
    ("HUAXIANG_CONFIG", "The home's settings; default `huaxiang.yml` in the checkout. Its `sources/` lies beside it."),
    ("HUAXIANG_ENGINE", "What the SQL runs on: `duckdb` (default) or `spark`; wins over `engine` of `huaxiang.yml`."),
    (
        "HUAXIANG_MODELS_ENGINE",
        "Where models that run either way work: `laptop` (in the command) or `spark`; default by the number of rows.",
    ),
    ("HUAXIANG_SPARK_MASTER", "The Spark master; default `local[2]`, which runs inside the command."),
    ("HUAXIANG_PORT_AIRFLOW", "Airflow's port on 127.0.0.1; default 8080."),
    ("HUAXIANG_PORT_MLFLOW", "MLflow's port on 127.0.0.1; default 5000."),
    ("HUAXIANG_PORT_SITE", "The report site's port on 127.0.0.1; default 8088."),
    ("HUAXIANG_URL_MLFLOW", "Where people reach MLflow, for links in Airflow; default the port above."),
    ("HUAXIANG_URL_SITE", "Where people reach the report, for links in Airflow; default the port above."),
    ("HUAXIANG_BACK_FILL_DAYS", "How many days the back-fill test back-fills; default 2."),
    ("HUAXIANG_FAILPOINT", "Where a command is to be killed, as in `release.before_switch:kill`; for tests of faults."),
    (
        "SPARK_CONF_DIR",
        "Spark's own: the folder of `spark-defaults.conf`, which holds the cluster's secret and memory.",
    ),
    ("SPARK_LOCAL_HOSTNAME", "Spark's own: the name by which executors reach the command; default `127.0.0.1`."),
    ("HUAXIANG_MLFLOW_URI", "An MLflow server, such as `http://mlflow:5000`; default the home's `mlflow.db`."),
    ("HUAXIANG_AIRFLOW_DB", "Airflow's database without its password; default SQLite in the home."),
    (
        "HUAXIANG_KEYS_DIR",
        "The folder of Airflow's secrets; default `airflow/secrets` in the home, made at first start.",
    ),
    ("PGPASSFILE", "Postgres' own: the file of mode 600 with the database's password."),
    ("HUAXIANG_CHROMIUM", "The browser of the page tests; default the `chromium` on the PATH."),
)
_EXIT_CODES = (
    "Exit codes: 0 done; 1 not done, with reason and next step; 2 wrong command line; 75 not done, but may succeed "
    "when it is run again; 99 nothing due; 130 interrupted."
)


def page(project: Path) -> str:
    from huaxiang.cli import _parser

    parser = _parser()
    lines = markdown.header("Commands", "the command line's own help and the `Makefile`")
    lines += ["## make", ""]
    lines += markdown.table(["Target", "Does"], [(f"`make {name}`", text) for name, text in targets(project)])
    lines += ["`make run AS_OF=2017-12-01` runs another day.", "", "## huaxiang", ""]
    lines += ["After `make setup` the command is `.venv/work/bin/huaxiang`.", "", *_help(parser)]
    for names, word in _alike(_words(parser)):
        lines += [f"### huaxiang {', '.join(names)}", "", *_help(word, "<word>" if len(names) > 1 else names[0])]
    lines += ["## Environment", ""]
    lines += markdown.table(["Variable", "Says"], [(f"`{name}`", text) for name, text in _ENVIRONMENT])
    lines.append(_EXIT_CODES)
    return markdown.page(lines)


def targets(project: Path) -> list[tuple[str, str]]:
    """What `make help` lists: the target and its sentence, in the Makefile's order."""
    return _TARGET.findall((project / "Makefile").read_text(encoding="utf-8"))


def _alike(words: dict[str, argparse.ArgumentParser]) -> list[tuple[list[str], argparse.ArgumentParser]]:
    """Words with the same options stand together, in the order of their first; what each does is in the list above."""
    groups: dict[str, tuple[list[str], argparse.ArgumentParser]] = {}
    for name, word in words.items():
        groups.setdefault("\n".join(_help(word, "<word>")), ([], word))[0].append(name)
    return list(groups.values())


def _help(parser: argparse.ArgumentParser, word: str | None = None) -> list[str]:
    """The parser's help as a block; for a word its options alone, in the name of `word`."""
    # A width of our own: by default the help is as wide as the terminal that asks for it.
    parser.formatter_class = lambda prog: argparse.HelpFormatter(prog, width=WIDTH)
    if word:
        parser.prog, parser.description = f"huaxiang {word}", None
    return ["```text", parser.format_help().strip(), "```", ""]


def _words(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            return dict(action.choices)
    return {}
