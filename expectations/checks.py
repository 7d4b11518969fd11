"""What a check says about itself, and small helpers that suites share.

A suite checks two kinds of views. A *table* holds records; a check on it counts the rows that break a rule. A *measure*
holds one row per thing that is judged (a file, a table, the whole run), with three columns beside its figures: `said`
(what was seen, in words and figures), `failing_rows` and `place` (where they are). Neither text ever holds a value of a
customer's record.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from great_expectations import ExpectationSuite
    from great_expectations.expectations.expectation import Expectation

Kind = Literal[
    "volume", "freshness", "quarantine", "completeness", "uniqueness", "bounds", "coverage", "reconciliation", "drift"
]


@dataclass(frozen=True)
class Words:
    """The words of one check: they travel with the expectation as its `meta`.

    `view` is what Great Expectations checks; `table` and `column` are the names a reader knows it by (the column only
    where the view has made one of its own). `where` is the file of a table's rows; a measure says its own places.
    """

    name: str
    kind: Kind
    view: str
    table: str
    expected: str
    description: str
    next_step: str
    where: str | None = None
    column: str | None = None

    @property
    def is_measure(self) -> bool:
        return self.where is None


def words(**said: Any) -> dict[str, Any]:
    """The `meta` of an expectation: see Words."""
    return asdict(Words(**said))


def suite_of(name: str, expectations: Iterable[Expectation]) -> ExpectationSuite:
    """All of them as one suite, none dropped.

    Great Expectations leaves out what it cannot read with no more than a log line, and what it takes for a repetition:
    the same rule on the same column, though of another view. A check that is gone would look like one that passes.
    """
    import great_expectations as gx

    wanted = list(expectations)
    suite = gx.ExpectationSuite(name=name, expectations=wanted)
    names = {expectation.meta["name"] for expectation in suite.expectations}
    if not len(wanted) == len(suite.expectations) == len(names):
        raise ValueError(
            f"suite {name}: {len(wanted)} checks written, {len(names)} remain; give each a name of its own"
        )
    return suite


def nothing_in(column: str, **said: str) -> Expectation:
    """A measure that has to be 0."""
    import great_expectations.expectations as gxe

    return gxe.ExpectColumnValuesToBeBetween(
        column=column, min_value=0, max_value=0, severity="critical", meta=words(**said)
    )


def equal(columns: tuple[str, str], **said: str) -> Expectation:
    """Two columns of a measure that have to agree: the same figure, worked out on two roads."""
    import great_expectations.expectations as gxe

    return gxe.ExpectColumnPairValuesToBeEqual(
        column_A=columns[0], column_B=columns[1], severity="critical", meta=words(kind="reconciliation", **said)
    )


def percent(share: float) -> str:
    """A share as people read it: 0.005 is '0.5 %'."""
    return f"{share * 100:.3g} %"


def days(count: int) -> str:
    return "1 day" if count == 1 else f"{count} days"


def quoted(text: object) -> str:
    """A text as an SQL literal."""
    return "'" + str(text).replace("'", "''") + "'"
