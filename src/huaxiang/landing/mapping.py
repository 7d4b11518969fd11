"""Write the SQL that turns a drop's text columns into canonical columns and finds each record's first problem."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from huaxiang.contracts import Column, Contract
from huaxiang.expressions import DROP_COLUMNS, READERS, can_fail, conversion, literal, quoted
from huaxiang.sources import TableMapping

_KINDS = {
    "timestamp": "an instant",
    "date": "a date",
    "boolean": "yes or no",
    "bigint": "a whole number",
    "double": "a number",
}


# What a drop tells has happened by its load day. One day more for zones (a local day ends up to 12 hours later in UTC)
# and fast clocks, and one for drops that are named by the business day before they were written.
DAYS_AHEAD = 2


@dataclass(frozen=True)
class Problem:
    """Why a record is refused. `detail` names column and rule, never the value."""

    reason: str
    detail: str


@dataclass(frozen=True)
class Plan:
    """`sql` gives _file, _record, the canonical columns and _problem: an index into `problems`, NULL when accepted."""

    sql: str
    problems: tuple[Problem, ...]


def plan(
    contract: Contract,
    mapping: TableMapping,
    relation: str,
    source_columns: Mapping[str, str],
    drop_columns: Mapping[str, str],
) -> Plan:
    """Plan the mapping of `relation`, which has _file and _record.

    `source_columns` gives SQL for the text of each source column the drop has (one that is absent reads as empty),
    `drop_columns` SQL for load_date, file_id and record_number.
    """
    mapped, typed = ["_file", "_record"], ["_file", "_record"]
    broken: list[tuple[str, Problem]] = []
    expressions = dict(mapping.columns)
    for number, column in enumerate(contract.columns):
        expression = expressions.get(column.name)
        if expression is None:
            typed.append(f"cast(null as {column.type}) as {quoted(column.name)}")
            continue
        for at, reader in enumerate(expression.readers):
            flag, what = f"_unread_{number}_{at}", reader.argument.replace('"', "")
            unread = f"({reader.argument}\n) is not null and {reader.function}({reader.argument}\n) is null"
            mapped.append(f"try({{'v': {unread}}}).v as {flag}")
            broken.append((flag, Problem("TYPE", f"{column.name}: {what} is not {READERS[reader.function]}")))
        name, value = f"_mapped_{number}", f"_mapped_{number}"
        if expression.sql in expression.source_columns:
            mapped.append(f"{quoted(expression.sql)} as {name}")
        else:
            # In a struct, NULL itself means that the expression failed, and a NULL value that it gave NULL.
            mapped.append(f"try({{'v': ({expression.sql}\n)}}) as {name}")
            value = f"{name}.v"
            broken.append((f"{name} is null", Problem("TYPE", f"{column.name}: its expression fails on this record")))
        converted = conversion(column.type, expression.type, value)
        typed.append(f"{converted} as {quoted(column.name)}")
        if can_fail(column.type, expression.type):
            detail = f"{column.name}: not {_KINDS.get(column.type, f'a number that fits {column.type}')}"
            broken.append((f"{value} is not null and {converted} is null", Problem("TYPE", detail)))
    typed.append(f"{_first(broken, 0)} as _unreadable")
    final = [
        (f"{quoted(column.name)} is null", Problem("REQUIRED", f"{column.name}: empty"))
        for column in contract.columns
        if column.is_required
    ]
    final += [_future(column.name) for column in _event_times(contract, mapping)]
    if mapping.format == "parquet":
        # In text a NUL has been refused with its record; nothing that is meant holds one.
        texts = [column.name for column in contract.columns if column.type == "varchar" and column.name in expressions]
        final += [(f"contains({quoted(name)}, chr(0))", Problem("TYPE", f"{name}: holds a NUL")) for name in texts]
    for rule in contract.rules:
        # A rule that cannot even be computed is broken; one that gives NULL is not.
        is_broken = f"coalesce(not try({{'v': coalesce(({rule.expression}\n), true)}}).v, true)"
        final.append((is_broken, Problem(f"RULE:{rule.name}", f"{rule.name}: {rule.description}")))
    constant, computed = _defaults(contract)
    day = drop_columns["load_date"] if needs_load_date(contract, mapping) else ""
    if day:
        mapped.append("_day")
        typed.append("_day")
    source = _source_list(mapping, source_columns, drop_columns) + (f", ({day})::date as _day" if day else "")
    sql = f"""
with source as (select {source} from {relation}),
mapped as (select {", ".join(mapped)} from source),
typed as (select {", ".join(typed)} from mapped),
with_constants as (select * {constant} from typed),
completed as (select * {computed} from with_constants)
select
    * exclude (_unreadable{", _day" if day else ""}),
    coalesce(_unreadable, {_first(final, len(broken))}) as _problem
from completed"""
    return Plan(sql, tuple(problem for _, problem in (*broken, *final)))


def needs_load_date(contract: Contract, mapping: TableMapping) -> bool:
    """Whether checking a record needs its drop's load day, even if no expression asks for it."""
    return bool(_event_times(contract, mapping))


def _event_times(contract: Contract, mapping: TableMapping) -> list[Column]:
    return [one for one in contract.columns if one.is_event_time and one.name in dict(mapping.columns)]


def _future(name: str) -> tuple[str, Problem]:
    detail = f"{name}: more than {DAYS_AHEAD} days after the drop's load day"
    return f"cast({quoted(name)} as date) > _day + {DAYS_AHEAD}", Problem("FUTURE_TIME", detail)


def cleaned(mapping: TableMapping, text: str) -> str:
    """SQL for a source column's text, NULL when it is blank or one of the missing words."""
    words = ", ".join(literal(word) for word in ("", *(word.strip() for word in mapping.missing_words)))
    return f"case when trim({text}) not in ({words}) then {text} end"


def _source_list(mapping: TableMapping, source_columns: Mapping[str, str], drop_columns: Mapping[str, str]) -> str:
    had = {name.casefold(): sql for name, sql in source_columns.items()}
    columns = [f"{had.get(name.casefold(), 'null::varchar')} as {quoted(name)}" for name in mapping.source_columns]
    wanted = {name for _, expression in mapping.columns for name in expression.drop_columns}
    columns += [f"({drop_columns[name]})::{DROP_COLUMNS[name]} as {name}" for name in DROP_COLUMNS if name in wanted]
    return ", ".join(["_file", "_record", *columns])


def _defaults(contract: Contract) -> tuple[str, str]:
    """Two `replace (...)` lists: defaults that are constants, then those that need the other columns."""
    constant: list[str] = []
    computed: list[str] = []
    for column in contract.columns:
        if column.default is not None:
            is_computed = set(re.findall(r"\w+", column.default)) & set(contract.column_names)
            name, default = quoted(column.name), f"try(cast(({column.default}) as {column.type}))"
            (computed if is_computed else constant).append(f"coalesce({name}, {default}) as {name}")
    return _replace(constant), _replace(computed)


def _replace(columns: list[str]) -> str:
    return f"replace ({', '.join(columns)})" if columns else ""


def _first(checks: list[tuple[str, Problem]], offset: int) -> str:
    """SQL for the number of the first check that is true, else NULL; asked as one question first, as most are good."""
    if not checks:
        return "null::integer"
    cases = " ".join(f"when {condition} then {offset + at}" for at, (condition, _) in enumerate(checks))
    return f"case when {' or '.join(f'({condition})' for condition, _ in checks)} then case {cases} end end"
