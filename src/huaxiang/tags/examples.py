"""A tag's own tests: for a customer with the given columns, the rule must say what the file expects."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from huaxiang.tags.tag import Tag, TagTest

if TYPE_CHECKING:
    import duckdb


def check_examples(connection: duckdb.DuckDBPyConnection, tag: Tag, types: Mapping[str, str], table: str) -> None:
    """Run the tag's tests over the empty `table`, whose columns have these types; some milliseconds' work.

    A column that is not given is null; a tag that is read is given as `tag_<name>`. Raises BadConfiguration, with file
    and line, for a column that is not there, a value that does not fit it, and an expectation that is not met.
    """
    if not tag.tests or _all_hold(connection, tag, types, table):
        return
    # something is wrong: look at one test after the other
    for number, test in enumerate(tag.tests):
        _check(connection, tag, number, test, types, table)


def _all_hold(connection: duckdb.DuckDBPyConnection, tag: Tag, types: Mapping[str, str], table: str) -> bool:
    """All tests in one query, since each look at a table of so many columns costs the same."""
    import duckdb

    try:
        customers = " union all by name ".join(_customer(test, types, number) for number, test in enumerate(tag.tests))
        found = connection.execute(
            f"select test_number, cast({tag.value} as string)"
            f" from (select * from {table} union all by name {customers}) as profiles order by test_number"
        ).fetchall()
    except (duckdb.Error, KeyError):
        return False
    return [value for _, value in found] == [test.expect for test in tag.tests]


def _customer(test: TagTest, types: Mapping[str, str], number: int) -> str:
    """A query of one row: the customer the test is about. Raises KeyError for a column that is not there."""
    given = [f'cast({_literal(value)} as {types[name]}) as "{name}"' for name, value in test.given.items()]
    return f"select {', '.join([f'{number} as test_number', *given])}"


def _check(
    connection: duckdb.DuckDBPyConnection, tag: Tag, number: int, test: TagTest, types: Mapping[str, str], table: str
) -> None:
    import duckdb

    assert tag.declaration is not None
    for name, value in test.given.items():
        if name not in types:
            raise tag.declaration.wrong(
                "is no column of a portrait", "correct it, or add it to 'reads'", "tests", number, "given", name
            )
        try:
            connection.execute(f"select cast({_literal(value)} as {types[name]})")
        except duckdb.Error as error:
            raise tag.declaration.wrong(
                f"is no {types[name]}", "give a value of the column's type", "tests", number, "given", name
            ) from error
    try:
        found = connection.execute(
            f"select cast({tag.value} as string)"
            f" from (select * from {table} union all by name {_customer(test, types, number)}) as profiles"
        ).fetchall()[0][0]
    except duckdb.Error as error:
        reason = f"ends in an error: {str(error).splitlines()[0]}"
        raise tag.declaration.wrong(reason, "correct the rule or the test", "tests", number) from error
    if found != test.expect:
        raise tag.declaration.wrong(
            f"expects {_said(test.expect)}, but the rule says {_said(found)}",
            "correct the rule or the test",
            "tests",
            number,
        )


def _literal(value: Any) -> str:
    """A value of a YAML file as SQL. Bound as a parameter it would cost the import of pandas, once a command."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return str(value) if isinstance(value, (int, float)) else "'" + str(value).replace("'", "''") + "'"


def _said(value: str | None) -> str:
    return "nothing (null)" if value is None else f"'{value}'"
