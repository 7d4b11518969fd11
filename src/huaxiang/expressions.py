"""The SQL expressions of a source mapping: the source columns they read, the type they give, how text becomes a value.

Every source column is text, as it was written, whatever the format of the drop. Four functions read text by the marks,
formats and time zone the mapping declares: `number(x)`, `local_date(x)`, `instant(x)` and `yes_no(x)`. A text that is
present and cannot be read must never become a silent NULL, so landing checks the arguments of these functions.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import duckdb

# Known about every record besides its source columns, under these names.
DROP_COLUMNS = {"load_date": "date", "file_id": "varchar", "record_number": "bigint"}

# What a text of that reader should have been, for the detail of a refusal.
READERS = {"number": "a number", "local_date": "a date", "instant": "an instant", "yes_no": "yes or no"}

EPOCH_FORMATS = {"epoch_seconds": 1000, "epoch_milliseconds": 1}

_NOT_ROWWISE = {
    "SUBQUERY": "a subquery",
    "WINDOW": "a window",
    "STAR": "a star",
    "LAMBDA": "a lambda",
    "PARAMETER": "a parameter",
}
_CLOCKS = {"current_date", "current_time", "current_timestamp", "localtime", "localtimestamp", "now", "today"}
_WORD_QUERIES = {
    # What means something else to SQL than a column of that name.
    "reserved": "select keyword_name from duckdb_keywords() where keyword_category <> 'unreserved'",
    "volatile": "select function_name from duckdb_functions()"
    " where function_type = 'scalar' and stability <> 'CONSISTENT'",
}
_WORDS: dict[str, frozenset[str]] = {}
_WHOLE_TYPES = {
    "TINYINT",
    "SMALLINT",
    "INTEGER",
    "BIGINT",
    "HUGEINT",
    "UTINYINT",
    "USMALLINT",
    "UINTEGER",
    "UBIGINT",
    "UHUGEINT",
}

_ISO_DAY = r"\d{4}-\d{2}-\d{2}"
_ISO_INSTANT = _ISO_DAY + r"([ T]([01]\d|2[0-3]):\d{2}(:\d{2}([.,]\d{1,9})?)?( ?(Z|[+-](0\d|1[0-5])(:?[0-5]\d)?))?)?"
_ISO_OFFSET = r":\d{2}([.,]\d+)? ?(Z|[+-]\d{2}(:?\d{2})?)$"


@dataclass(frozen=True)
class Reading:
    """How text of a table is to be read. Empty formats mean ISO 8601; `time_zone` is for instants without an offset."""

    time_zone: str
    decimal_mark: str = "."
    thousands_mark: str = ""
    date_formats: tuple[str, ...] = ()
    timestamp_formats: tuple[str, ...] = ()


@dataclass(frozen=True)
class Reader:
    """One call of a reading function: its argument must be empty or readable."""

    function: str
    argument: str


@dataclass(frozen=True)
class Expression:
    """A bound expression: `type` is DuckDB's type of it when every source column is text."""

    sql: str
    source_columns: tuple[str, ...]
    drop_columns: tuple[str, ...]
    readers: tuple[Reader, ...]
    type: str


class BadExpression(ValueError):
    """An expression that cannot be used; the message is the reason."""


def connect() -> duckdb.DuckDBPyConnection:
    """An in-memory DuckDB that loads nothing from outside and reads offsets as UTC."""
    import duckdb

    connection = duckdb.connect(config={"autoinstall_known_extensions": "false", "autoload_known_extensions": "false"})
    connection.execute("set TimeZone = 'UTC'")
    return connection


def declare_readers(connection: duckdb.DuckDBPyConnection, reading: Reading) -> None:
    """Define the four reading functions of one mapping in this connection, replacing those of another mapping.

    Raises BadExpression when a declared format is not one of strptime's.
    """
    import duckdb

    bodies = _reader_bodies(reading)
    try:
        connection.execute(
            "; ".join(f"create or replace temp macro {name}(x) as {body}" for name, body in bodies.items())
        )
        connection.execute(f"select {', '.join(f'{name}(null::varchar)' for name in READERS)}")
    except duckdb.Error as error:
        raise BadExpression(first_line(error)) from error


def bind(connection: duckdb.DuckDBPyConnection, sql: str) -> Expression:
    """Check one expression by preparing it, and say what it reads. Raises BadExpression with the reason."""
    import duckdb

    if is_plain_column(connection, sql):
        return Expression(sql, (sql,), (), (), "VARCHAR")
    nodes = _rowwise_nodes(connection, sql)
    names = list(dict.fromkeys(node["column_names"][0] for node in nodes if node.get("class") == "COLUMN_REF"))
    source_columns = tuple(name for name in names if name.casefold() not in DROP_COLUMNS)
    empty = [f"null::varchar as {quoted(name)}" for name in source_columns]
    empty += [f"null::{type_} as {name}" for name, type_ in DROP_COLUMNS.items()]
    try:
        # record_number beside it makes an aggregate fail to bind: it would mix records.
        described = connection.execute(
            f"describe select record_number, ({sql}\n) from (select {', '.join(empty)})"
        ).fetchall()
    except duckdb.Error as error:
        reason = first_line(error)
        if "VARCHAR" in reason:
            reason += " (source columns are text: read them by number(x), local_date(x), instant(x) or yes_no(x))"
        raise BadExpression(reason) from error
    return Expression(
        sql=sql,
        source_columns=source_columns,
        drop_columns=tuple(name for name in DROP_COLUMNS if name in {one.casefold() for one in names}),
        readers=tuple(_readers(connection, nodes)),
        type=described[1][1],
    )


def columns_of(connection: duckdb.DuckDBPyConnection, sql: str) -> tuple[str, ...]:
    """The columns one row-wise expression reads. Raises BadExpression when it is none, or asks chance or the clock."""
    nodes = _rowwise_nodes(connection, sql)
    return tuple(dict.fromkeys(node["column_names"][-1] for node in nodes if node.get("class") == "COLUMN_REF"))


def _rowwise_nodes(connection: duckdb.DuckDBPyConnection, sql: str) -> list[dict[str, Any]]:
    nodes = list(_nodes(_parse(connection, sql)))
    for node in nodes:
        if node.get("class") in _NOT_ROWWISE:
            raise BadExpression(f"uses {_NOT_ROWWISE[node['class']]}, but an expression sees one record")
        if _name_of(node) in _CLOCKS:
            raise BadExpression(
                f"asks the clock ({_name_of(node)}), so the same drop would give other rows tomorrow; use load_date"
            )
    _refuse_volatile(connection, {node["function_name"] for node in nodes if node.get("class") == "FUNCTION"})
    return nodes


def is_plain_column(connection: duckdb.DuckDBPyConnection, sql: str) -> bool:
    """Whether the expression is just the name of a source column, as most are: then there is nothing to prepare."""
    is_word = re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", sql)
    return bool(is_word) and sql.casefold() not in _words(connection, "reserved") | _CLOCKS | set(DROP_COLUMNS)


def conversion(target: str, given: str, value: str) -> str:
    """SQL that turns `value` of type `given` into the contract's type; it gives NULL where that is impossible.

    Raises BadExpression when no value of that type can be meant, such as a date for an amount.
    """
    family = re.split(r"\W", given)[0]
    is_number = family in _WHOLE_TYPES or family in ("DECIMAL", "DOUBLE", "FLOAT")
    if given == '"NULL"':
        return f"cast(null as {target})"
    if target == "varchar" and "[" not in given and family not in ("STRUCT", "MAP", "UNION", "BLOB"):
        return value if given == "VARCHAR" else f"cast({value} as varchar)"
    if target.startswith("decimal"):
        if family == "VARCHAR":
            return f"try_cast(number_text({value}) as {target})"
        if is_number:
            return f"try_cast({value} as {target})"
    if target == "double" and (family == "VARCHAR" or is_number):
        # Infinity and NaN would spoil every sum they meet; adding 0.0 makes 0.0 of -0.0.
        number = f"try_cast({f'number_text({value})' if family == 'VARCHAR' else value} as double)"
        return f"case when isfinite({number}) then {number} + 0.0 end"
    if target == "bigint":
        # A cast would round 1.5 to 2 without a word.
        if family == "VARCHAR":
            return f"case when number({value}) = round(number({value})) then try_cast(number({value}) as bigint) end"
        if is_number:
            return f"case when {value} = round({value}) then try_cast({value} as bigint) end"
    if target == "date":
        if family == "VARCHAR":
            return f"local_date({value})"
        if given in ("DATE", "TIMESTAMP"):
            return value if given == "DATE" else f"cast({value} as date)"
    if target == "timestamp":
        if family == "VARCHAR":
            return f"instant({value})"
        if given == "TIMESTAMP WITH TIME ZONE":
            return f"timezone('UTC', {value})"
        if given == "TIMESTAMP":
            return value
        if given == "DATE":
            return f"instant(cast({value} as varchar))"
    if target == "boolean":
        if family == "VARCHAR":
            return f"yes_no({value})"
        if family == "BOOLEAN":
            return value
    raise BadExpression(f"gives {given.lower()}, but the contract wants {target}")


def can_fail(target: str, given: str) -> bool:
    """Whether a value of type `given` may have no counterpart of type `target`."""
    same_kind = {
        "date": ("DATE", "TIMESTAMP"),
        "timestamp": ("TIMESTAMP", "TIMESTAMP WITH TIME ZONE"),
        "boolean": ("BOOLEAN",),
    }
    return target != "varchar" and given not in same_kind.get(target, ())


def quoted(name: str) -> str:
    """A name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def first_line(error: Exception) -> str:
    """DuckDB's reason without its picture of the statement, which is ours and not the user's."""
    return str(error).strip().splitlines()[0].rstrip(".")


def _reader_bodies(reading: Reading) -> dict[str, str]:
    mark, thousands = re.escape(reading.decimal_mark), re.escape(reading.thousands_mark)
    whole = rf"(\d{{1,3}}({thousands}\d{{3}})+|\d+)" if thousands else r"\d+"
    pattern = rf"\s*[+-]?({whole}({mark}\d*)?|{mark}\d+)([eE][+-]?\d{{1,2}})?\s*"
    plain = "trim(x)"
    if reading.thousands_mark:
        plain = f"replace({plain}, {literal(reading.thousands_mark)}, '')"
    if reading.decimal_mark != ".":
        plain = f"replace({plain}, {literal(reading.decimal_mark)}, '.')"
    return {
        # The pattern first: a cast alone would take 1_000, nan or 0x1F.
        "number_text": f"case when regexp_full_match(x, {literal(pattern)}) then {plain} end",
        "number": "try_cast(number_text(x) as decimal(18,6))",
        "local_date": _date_body(reading),
        "instant": _instant_body(reading),
        "yes_no": "case when lower(trim(x)) in ('true', 't', 'yes', 'y', '1') then true"
        " when lower(trim(x)) in ('false', 'f', 'no', 'n', '0') then false end",
    }


def _date_body(reading: Reading) -> str:
    # A day written as midnight is still a day; any other time of day would be lost, so it is refused.
    formats = reading.date_formats or ("%Y-%m-%d", "%Y-%m-%d 00:00:00", "%Y-%m-%dT00:00:00")
    return f"cast({_strptime(formats)} as date)"


def _strptime(formats: tuple[str, ...] | list[str]) -> str:
    # DuckDB gives a day for 'epoch' and 'infinity', whatever the format: ask for a digit first.
    return f"case when regexp_matches(x, '[0-9]') then try_strptime(trim(x), {_list(formats)}) end"


def _in_utc(local: str, time_zone: str) -> str:
    """A local time as UTC; NULL for one that the clocks skip in spring, which nobody's clock can have shown."""
    if time_zone == "UTC":
        return local
    instant = f"timezone({literal(time_zone)}, {local})"
    return f"case when timezone({literal(time_zone)}, {instant}) = {local} then timezone('UTC', {instant}) end"


def _instant_body(reading: Reading) -> str:
    if not reading.timestamp_formats:
        local = "try_cast(replace(trim(x), ',', '.') as timestamp)"
        return (
            f"case when not regexp_full_match(trim(x), {literal(_ISO_INSTANT)}) then null"
            f" when regexp_matches(trim(x), {literal(_ISO_OFFSET)})"
            f" then timezone('UTC', try_cast(replace(trim(x), ',', '.') as timestamptz))"
            f" else {_in_utc(local, reading.time_zone)} end"
        )
    parts = []
    zoned = [one for one in reading.timestamp_formats if "%z" in one.replace("%%", "") or "%Z" in one.replace("%%", "")]
    naive = [one for one in reading.timestamp_formats if one not in zoned and one not in EPOCH_FORMATS]
    if zoned:
        parts.append(f"timezone('UTC', {_strptime(zoned)})")
    if naive:
        parts.append(_in_utc(_strptime(naive), reading.time_zone))
    for name, milliseconds in EPOCH_FORMATS.items():
        if name in reading.timestamp_formats:
            digits = 11 if milliseconds > 1 else 14
            is_count = f"regexp_full_match(trim(x), {literal(rf'-?[0-9]{{1,{digits}}}')})"
            parts.append(f"case when {is_count} then epoch_ms(cast(trim(x) as bigint) * {milliseconds}) end")
    return f"coalesce({', '.join(parts)})" if len(parts) > 1 else parts[0]


def _list(formats: tuple[str, ...] | list[str]) -> str:
    return "[" + ", ".join(map(literal, formats)) + "]"


def _parse(connection: duckdb.DuckDBPyConnection, sql: str) -> dict[str, Any]:
    """The expression as DuckDB's own syntax tree, so that no text of ours guesses what SQL means."""
    text = connection.execute(f"select json_serialize_sql({literal(f'select {sql}' + chr(10))})").fetchall()[0][0]
    answer = json.loads(text)
    if answer["error"]:
        raise BadExpression(f"is not SQL: {answer['error_message'].strip().splitlines()[0]}")
    node = answer["statements"][0]["node"]
    extra = [
        node.get(part) for part in ("where_clause", "group_expressions", "having", "qualify", "sample", "modifiers")
    ]
    is_one = len(answer["statements"]) == 1 and node["type"] == "SELECT_NODE" and len(node["select_list"]) == 1
    if not is_one or node["from_table"]["type"] != "EMPTY" or any(extra):
        raise BadExpression("is not one SQL expression")
    expression: dict[str, Any] = node["select_list"][0]
    if expression.get("alias"):
        raise BadExpression("must not be given a name with 'as'")
    return expression


def _nodes(tree: Any) -> Any:
    if isinstance(tree, dict):
        if "class" in tree:
            yield tree
        for value in tree.values():
            yield from _nodes(value)
    elif isinstance(tree, list):
        for value in tree:
            yield from _nodes(value)


def _words(connection: duckdb.DuckDBPyConnection, kind: str) -> frozenset[str]:
    """Words of DuckDB of that kind, asked once: listing its functions takes longer than all else here."""
    if kind not in _WORDS:
        _WORDS[kind] = frozenset(word for (word,) in connection.execute(_WORD_QUERIES[kind]).fetchall())
    return _WORDS[kind]


def _name_of(node: dict[str, Any]) -> str:
    if node.get("class") == "COLUMN_REF":
        return str(node["column_names"][0]).casefold()
    return str(node.get("function_name", "")).casefold()


def _refuse_volatile(connection: duckdb.DuckDBPyConnection, names: set[str]) -> None:
    found = sorted(names & _words(connection, "volatile"))
    if found:
        raise BadExpression(f"uses {found[0]}(), whose answer changes from call to call")


def _readers(connection: duckdb.DuckDBPyConnection, nodes: list[dict[str, Any]]) -> list[Reader]:
    found: dict[Reader, None] = {}
    for node in nodes:
        if node.get("class") == "FUNCTION" and node["function_name"] in READERS and len(node["children"]) == 1:
            found[Reader(node["function_name"], _sql_of(connection, node["children"][0]))] = None
    return list(found)


def _sql_of(connection: duckdb.DuckDBPyConnection, node: dict[str, Any]) -> str:
    frame = json.loads(connection.execute("select json_serialize_sql('select 1')").fetchall()[0][0])
    frame["statements"][0]["node"]["select_list"] = [node]
    text: str = connection.execute(f"select json_deserialize_sql({literal(json.dumps(frame))}::json)").fetchall()[0][0]
    return text.removeprefix("SELECT ")
