"""Run a suite and tell its results in words: one Check for each expectation, never a value of a record.

Great Expectations would put offending values, and texts of database errors that quote them, into its own results. So
only counts are taken from there, and what a failing measure says is read from its view, which holds no such values.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from expectations.checks import Words, quoted, suite_of
from expectations.duckdb_engine import Database, opened
from huaxiang.errors import BadConfiguration, GateFailed
from huaxiang.settings import Run, Settings

if TYPE_CHECKING:
    from great_expectations import ExpectationSuite
    from great_expectations.core.expectation_validation_result import ExpectationValidationResult
    from great_expectations.expectations.expectation import Expectation

SUITES = ("landing", "profiles")
# No list of values, whichever expectation is used.
_COUNTS_ONLY = {"result_format": "BASIC", "partial_unexpected_count": 0, "exclude_unexpected_values": True}
_SUBJECTS_SAID = 3
_FILE_ERRORS = ("IOException", "InvalidInputException")


@dataclass(frozen=True)
class Check:
    """The result of one check. `failing_rows` counts rows that break the rule, also when so many are tolerated."""

    name: str
    kind: str
    table: str
    column: str | None
    severity: str
    passed: bool
    expected: str
    observed: str
    failing_rows: int | None
    where: str | None
    description: str
    next_step: str

    @property
    def stops(self) -> bool:
        return self.severity == "critical" and not self.passed


def run_suite(settings: Settings, run: Run, suite: str) -> list[Check]:
    """Check the home's landed data, or the run's portraits, in one in-memory database.

    Raises MissingPartition when the step before has not run, GateFailed when its files cannot be read,
    BadConfiguration for an unknown suite.
    """
    if suite not in SUITES:
        raise BadConfiguration(f"there is no suite '{suite}': the suites are {', '.join(SUITES)}")
    from sqlalchemy.exc import DBAPIError

    with opened() as database:
        try:
            return checked(database, _SUITES[suite](database, settings, run))
        except DBAPIError as error:
            reason = type(error.orig).__name__
            # The text of a file that cannot be read names the file; other texts may quote a value.
            text = f": {str(error.orig).splitlines()[0]}" if reason in _FILE_ERRORS else ""
            raise GateFailed(
                f"the gate '{suite}' cannot read what it checks ({reason}{text}): restore the file from a copy, "
                f"or delete the run's build and run the day again"
            ) from None


def get_ready() -> None:
    """Import all that a suite needs, and use it once: a process that checks later does not wait for it then."""
    with opened() as database:
        database.row("select 1")


def checked(database: Database, suite: ExpectationSuite) -> list[Check]:
    """Validate the suite, view by view; results in the suite's order."""
    by_view: dict[str, list[Expectation]] = {}
    for expectation in suite.expectations:
        by_view.setdefault(Words(**expectation.meta).view, []).append(expectation)
    found: dict[str, Check] = {}
    for view, expectations in by_view.items():
        part = suite_of(f"{suite.name}_{view}", expectations)
        batch = database.batch_definition(view).get_batch()
        for result in batch.validate(part, result_format=_COUNTS_ONLY).results:
            check = _check(database, result)
            found[check.name] = check
    return [found[expectation.meta["name"]] for expectation in suite.expectations]


def _landing(database: Database, settings: Settings, run: Run) -> ExpectationSuite:
    from expectations.landing import landing, prepare

    return landing(prepare(database, settings, run), settings.gates)


def _profiles(database: Database, settings: Settings, run: Run) -> ExpectationSuite:
    from expectations.profiles import prepare, profiles

    return profiles(prepare(database, settings, run), settings.gates)


_SUITES = {"landing": _landing, "profiles": _profiles}


def _check(database: Database, result: ExpectationValidationResult) -> Check:
    config = result.expectation_config
    assert config is not None
    said, rule = Words(**config.meta), config.kwargs
    passed = bool(result.success)
    if result.exception_info.get("raised_exception", True):
        observed, failing_rows, where = _unchecked(database, said, rule), None, said.where
    elif said.is_measure:
        observed, failing_rows, where = _measured(database, said, config.type, rule, passed)
    else:
        observed, failing_rows, where = _counted(said, result.result)
    return Check(
        name=said.name,
        kind=said.kind,
        table=said.table,
        column=said.column
        or ", ".join(rule.get("column_list", []))
        or (None if said.is_measure else rule.get("column")),
        severity=config.severity.value,
        passed=passed,
        expected=said.expected,
        observed=observed,
        failing_rows=failing_rows,
        where=where,
        description=said.description,
        next_step=said.next_step,
    )


def _counted(said: Words, result: dict[str, Any]) -> tuple[str, int | None, str | None]:
    """What a check on rows has seen: counts, nothing else of the result."""
    if "unexpected_count" not in result:
        return f"{int(result['observed_value']):,} rows", None, said.where
    # Without rows there is no count.
    failing, rows = int(result["unexpected_count"] or 0), int(result["element_count"])
    return f"{failing:,} of {rows:,} rows break it", failing, said.where if failing else None


def _measured(
    database: Database, said: Words, rule_type: str, rule: dict[str, Any], passed: bool
) -> tuple[str, int | None, str | None]:
    """What a check on a measure has seen: the words of the subjects that fail, or of the one nearest to it."""
    fails, nearest_first = _condition(rule_type, rule)
    if passed:
        subjects = database.rows(f"select said from {said.view} order by {nearest_first} limit 1")
        (count,) = database.row(f"select count(*) from {said.view}")
        return _all_agree(rule_type, count, subjects), 0 if count else None, None
    subjects = database.rows(
        f"select said, failing_rows, place from {said.view} where {fails} order by {nearest_first}"
    )
    texts = [text for text, _, _ in subjects[:_SUBJECTS_SAID]]
    if len(subjects) > _SUBJECTS_SAID:
        texts.append(f"and {len(subjects) - _SUBJECTS_SAID:,} more")
    places = list(dict.fromkeys(place for _, _, place in subjects if place))[:_SUBJECTS_SAID]
    counts = [rows for _, rows, _ in subjects if rows is not None]
    return "; ".join(texts), sum(counts) if counts else None, ", ".join(places) or None


def _all_agree(rule_type: str, count: int, subjects: list[tuple[Any, ...]]) -> str:
    if count == 0:
        return "there is nothing to judge"
    if count == 1:
        return str(subjects[0][0])
    if rule_type == "expect_column_pair_values_to_be_equal":
        return f"all {count:,} agree"
    return f"all {count:,} are within it; the nearest to failing: {subjects[0][0]}"


def _condition(rule_type: str, rule: dict[str, Any]) -> tuple[str, str]:
    """The rule of an expectation on a measure as SQL: what fails, and an order with the nearest to failing first."""
    if rule_type == "expect_column_pair_values_to_be_equal":
        left, right = rule["column_A"], rule["column_B"]
        return f"{left} is distinct from {right}", f"abs({left} - {right}) desc, said"
    column, least, most = rule["column"], rule.get("min_value"), rule.get("max_value")
    fails = [f"{column} < {least}"] if least is not None else []
    fails += [f"{column} > {most}"] if most is not None else []
    direction = "desc" if most is not None else "asc"
    return " or ".join(fails), f"{column} {direction}, said"


def _unchecked(database: Database, said: Words, rule: dict[str, Any]) -> str:
    """Why a check could not be made. The database's own text may quote a value, so it is not repeated."""
    there = database.columns(said.view)
    wanted = [rule[key] for key in ("column", "column_A", "column_B") if key in rule] + list(
        rule.get("column_list", [])
    )
    missing: Iterable[str] = [column for column in wanted if column not in there]
    if missing:
        return f"could not be checked: {said.table} has no column {', '.join(map(quoted, missing))}"
    return f"could not be checked: the rule cannot be evaluated on the values of {said.table}"
