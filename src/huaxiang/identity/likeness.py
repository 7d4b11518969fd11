"""Probable links: customers whose name, address, birth date are alike, by Fellegi and Sunter's model (Splink).

The model is fitted once (`huaxiang identity train`, or the first staging that has enough customers) and kept; every
later run only applies it, so that a link does not come and go because a figure of the fit moved. Edit distances and
equality are all it compares: DuckDB and Spark know them alike.
Method: Fellegi and Sunter, "A theory for record linkage", 1969; fitted by expectation maximisation as Splink does it.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from huaxiang.errors import BrokenConservation, HuaxiangError
from huaxiang.files import write_text
from huaxiang.identity.people import Id, Link, short_hash
from huaxiang.identity.policy import Policy
from huaxiang.settings import Settings
from huaxiang.tables import Home

if TYPE_CHECKING:
    import duckdb

LIKENESS = "likeness"
_LEAST_RECORDS = 200  # with fewer the fit says more of chance than of people
_SAMPLED_PAIRS = 2_000_000
_SEED = 20170101
_RECALL_OF_STRICT_RULES = 0.8  # what part of the true pairs agrees in a whole strict rule, roughly; the fit's start
_SMALLEST = 1e-6


class CannotFit(HuaxiangError):
    """There is too little to learn from: customers are linked by equal identifiers alone."""


@dataclass(frozen=True)
class Level:
    """How often one degree of likeness is seen among pairs that are one person (m) and among others (u)."""

    m: float
    u: float


@dataclass(frozen=True)
class Model:
    """A fitted model: per compared kind its edit distances, and a level for equal, each distance, and else."""

    number: int
    prior: float
    steps: dict[str, tuple[int, ...]]
    levels: dict[str, tuple[Level, ...]]
    records: int

    @property
    def fingerprint(self) -> str:
        """What the model says, as a hash."""
        return short_hash(
            "likeness",
            self.prior,
            self.steps,
            {kind: [asdict(one) for one in levels] for kind, levels in self.levels.items()},
        )

    def fits(self, policy: Policy) -> bool:
        """Whether it compares what the policy compares."""
        return self.steps == {kind.name: kind.steps for kind in policy.compared}


def newest(home: Home) -> Model | None:
    """The model fitted last. Raises BrokenConservation when its file is damaged."""
    paths = model_files(home)
    return _read(paths[-1]) if paths else None


def model_files(home: Home) -> list[Path]:
    """All models of the home, the oldest first."""
    return sorted((home.identity / "models").glob("[0-9]*.json"))


def keep(home: Home, model: Model) -> Path:
    """Write the model under its number; a number is written once."""
    path = home.identity / "models" / f"{model.number:06d}.json"
    write_text(path, json.dumps(asdict(model) | {"fingerprint": model.fingerprint}, indent=2) + "\n")
    return path


def fit(connection: duckdb.DuckDBPyConnection, policy: Policy, number: int) -> Model:
    """Fit a model on the table `described`. Equal tables give equal models.

    Raises CannotFit when there are too few customers, or too few that are alike.
    """
    records = int(connection.execute("select count(*) from described").fetchall()[0][0])
    if records < _LEAST_RECORDS:
        raise CannotFit(
            f"{records:,} customers have two kinds that can be compared, {_LEAST_RECORDS} are needed to learn from:"
            " they are linked by equal identifiers alone"
        )
    threads = connection.execute("select current_setting('threads')").fetchall()[0][0]
    connection.execute("set threads = 1")  # sums of doubles, and the sample, in one order
    try:
        said = _fit(connection, policy)
    except Exception as error:
        reason = (" ".join(str(error).split()) or type(error).__name__)[:200]
        raise CannotFit(
            f"the model of likeness could not be fitted ({reason}): customers are linked by equal identifiers alone;"
            " add kinds, or rules to compare_where_equal, in identity.yml"
        ) from error
    finally:
        connection.execute(f"set threads = {threads}")
    levels = {
        comparison["output_column_name"]: tuple(
            Level(_share(level.get("m_probability")), _share(level.get("u_probability")))
            for level in comparison["comparison_levels"]
            if not level.get("is_null_level")
        )
        for comparison in said["comparisons"]
    }
    odd = sorted(kind for kind, of_kind in levels.items() if of_kind[0].m <= of_kind[0].u)
    if odd:
        raise CannotFit(
            f"the fit found equal values of '{odd[0]}' no more common in one person than by chance, so too few"
            " customers are alike to learn from: they are linked by equal identifiers alone"
        )
    steps = {kind.name: kind.steps or () for kind in policy.compared}
    return Model(number, round(said["probability_two_random_records_match"], 9), steps, levels, records)


def probable_links(
    connection: duckdb.DuckDBPyConnection, settings: Settings, policy: Policy, model: Model, engine: str | None = None
) -> list[Link]:
    """The pairs of `described` that are one person with a probability of `tell_above` or more, on the home's engine."""
    people = {
        number: (Id(source, customer), since)
        for number, source, customer, since in connection.execute(
            "select unique_id, source_name, customer_id, since from described"
        ).fetchall()
    }
    asked = _predict_on_spark if (engine or settings.engine) == "spark" else _predict
    found = []
    for one, other, probability in asked(connection, settings, policy, model):
        rounded = round(probability, 6)
        if rounded >= policy.tell_above:
            found.append(_link(people[one], people[other], rounded, policy, model))
    return sorted(found, key=lambda link: (link.left, link.right))


def _link(one: tuple[Id, date], other: tuple[Id, date], probability: float, policy: Policy, model: Model) -> Link:
    left, right = sorted((one[0], other[0]))
    return Link(
        left, right, LIKENESS, short_hash(LIKENESS, left, right, model.fingerprint), probability,
        max(one[1], other[1]), probability >= policy.link_above, model.fingerprint,
    )  # fmt: skip


def _fit(connection: duckdb.DuckDBPyConnection, policy: Policy) -> dict[str, Any]:
    from splink import DuckDBAPI, Linker, block_on

    _be_quiet()
    table = DuckDBAPI(connection=connection).register(connection.table("described"))
    linker = Linker(table, _settings(policy, None), log_level=None)
    strict = [block for block in policy.blocks if len(block) > 1 or policy.kinds[block[0]].strength == "strong"]
    rules: list[Any] = [block_on(*block) for block in (strict or policy.blocks)]
    linker.training.estimate_probability_two_random_records_match(rules, recall=_RECALL_OF_STRICT_RULES)
    linker.training.estimate_u_using_random_sampling(max_pairs=_SAMPLED_PAIRS, seed=_SEED)
    for block in _two_that_share_nothing(policy.blocks):
        linker.training.estimate_parameters_using_expectation_maximisation(block_on(*block))
    return linker.misc.save_model_to_json()


def _two_that_share_nothing(blocks: Sequence[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """Within a block its own kinds are equal, so they are learned in another one that has none of them."""
    first = blocks[0]
    return [first, *[block for block in blocks[1:] if not set(block) & set(first)][:1]]


def _predict(
    connection: duckdb.DuckDBPyConnection, settings: Settings, policy: Policy, model: Model
) -> list[tuple[int, int, float]]:
    from splink import DuckDBAPI, Linker

    _be_quiet()
    table = DuckDBAPI(connection=connection).register(connection.table("described"))
    linker = Linker(table, _settings(policy, model), log_level=None)
    found = linker.inference.predict(threshold_match_probability=policy.tell_above - _SMALLEST)
    return connection.execute(
        f"select unique_id_l, unique_id_r, match_probability from {found.physical_name}"
    ).fetchall()


def _predict_on_spark(
    connection: duckdb.DuckDBPyConnection, settings: Settings, policy: Policy, model: Model
) -> list[tuple[int, int, float]]:
    from splink import Linker, SparkAPI

    from spark_jobs.session import session

    _be_quiet()
    home = settings.home
    spark = session(home.warehouse, home.logs / "spark.log")
    path = home.warehouse / "described.parquet"
    try:
        connection.execute(f"copy described to '{str(path).replace(chr(39), chr(39) * 2)}' (format parquet)")
        api = SparkAPI(spark_session=spark, break_lineage_method="persist", register_udfs_automatically=False)
        table = api.register(spark.read.parquet(str(path)))
        linker = Linker(table, _settings(policy, model), log_level=None)
        found = linker.inference.predict(threshold_match_probability=policy.tell_above - _SMALLEST)
        rows = spark.table(found.physical_name).select("unique_id_l", "unique_id_r", "match_probability").collect()
        spark.catalog.clearCache()
        return [(row[0], row[1], row[2]) for row in rows]
    finally:
        path.unlink(missing_ok=True)


def _settings(policy: Policy, model: Model | None) -> Any:
    from splink import SettingsCreator, block_on

    return SettingsCreator(
        link_type="dedupe_only",
        comparisons=[_comparison(kind.name, kind.steps or (), model) for kind in policy.compared],
        blocking_rules_to_generate_predictions=[block_on(*block) for block in policy.blocks],
        probability_two_random_records_match=model.prior if model else 0.0001,
        retain_matching_columns=False,
        linker_uid="huaxiang",
    )


def _comparison(kind: str, steps: tuple[int, ...], model: Model | None) -> Any:
    import splink.comparison_level_library as levels
    import splink.comparison_library as comparisons

    found = [
        levels.ExactMatchLevel(kind),
        *(levels.LevenshteinLevel(kind, step) for step in steps),
        levels.ElseLevel(),
    ]
    if model:
        for level, figures in zip(found, model.levels[kind], strict=True):
            level.configure(m_probability=figures.m, u_probability=figures.u)
    return comparisons.CustomComparison(output_column_name=kind, comparison_levels=[levels.NullLevel(kind), *found])


def _share(value: object) -> float:
    """A level that was never seen is as rare as can be, and no surer than that."""
    return max(round(float(value), 6), _SMALLEST) if isinstance(value, float | int) else _SMALLEST


def _be_quiet() -> None:
    """Splink's account of its progress names columns and figures; ours is one line of facts."""
    logging.getLogger("splink").setLevel(logging.ERROR)


def _read(path: Path) -> Model:
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
        model = Model(
            said["number"], said["prior"],
            {kind: tuple(steps) for kind, steps in said["steps"].items()},
            {kind: tuple(Level(**one) for one in levels) for kind, levels in said["levels"].items()},
            said["records"],
        )  # fmt: skip
        if model.fingerprint != said["fingerprint"]:
            raise ValueError
        return model
    except (ValueError, KeyError, TypeError) as error:
        raise BrokenConservation(
            f"{path}: has changed since it was written; restore it from a copy of the home, or fit a new one with"
            " 'huaxiang identity train'"
        ) from error
