"""A tag's own tests: for a customer with the given columns, the rule must say what the file expects."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from huaxiang.tags.tag import Tag

if TYPE_CHECKING:
    import duckdb


def check_examples(connection: duckdb.DuckDBPyConnection, tag: Tag, types: Mapping[str, str], table: str) -> None:
    """Run the tag's tests over the empty `table`, whose columns have these types; a milliseconds' work.

    A column that is not given is null; a tag that is read is given as `tag_<name>`. Raises BadConfiguration, with file
    and line, for a column that is not there, a value that does not fit it, and an expectation that is not met.
    """
    import duckdb

    assert tag.declaration is not None
    for number, test in enumerate(tag.tests):
        for name, value in test.given.items():
            if name not in types:
                raise tag.declaration.wrong(
                    "is no column of a portrait", "correct it, or add it to 'reads'", "tests", number, "given", name
                )
            try:
                connection.execute(f"select cast(? as {types[name]})", [value])
            except duckdb.Error as error:
                raise tag.declaration.wrong(
                    f"is no {types[name]}", "give a value of the column's type", "tests", number, "given", name
                ) from error
        listed = ", ".join(f'cast(? as {types[name]}) as "{name}"' for name in test.given) or "null as customer_id"
        try:
            found = connection.execute(
                f"select cast({tag.value} as string)"
                f" from (select * from {table} union all by name select {listed}) as profiles",
                list(test.given.values()),
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


def _said(value: str | None) -> str:
    return "nothing (null)" if value is None else f"'{value}'"
