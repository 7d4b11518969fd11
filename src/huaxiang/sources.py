"""A source: where its drops lie and how its columns become canonical columns, read from `sources/<name>.yml`.

The language is described in docs/how-to/bring-your-data.md.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from huaxiang.contracts import Contract
from huaxiang.errors import BadConfiguration
from huaxiang.expressions import BadExpression, Expression, Reading, bind, connect, conversion, declare_readers
from huaxiang.settings import Settings
from huaxiang.yaml_files import read_mapping

if TYPE_CHECKING:
    import duckdb

FORMATS = ("csv", "jsonl", "parquet")

_WRITTEN: dict[str, Any] = {
    "encoding": "utf-8",
    "delimiter": ",",
    "quote": '"',
    "decimal_mark": ".",
    "thousands_mark": "",
    "date_formats": [],
    "timestamp_formats": [],
    "missing_words": [],
    "time_zone": None,
    "final_newline": "optional",
}
_SOURCE_KEYS = {"description", "currency", "tables", *_WRITTEN}
_TABLE_KEYS = {"file", "format", "names", "may_be_absent", "columns", *_WRITTEN}
_LOAD_DATE = re.compile(r"\{load_date(?::([^{}]+))?\}")
_DIGITS = {"%Y": "[0-9]{4}", "%m": "[0-9]{2}", "%d": "[0-9]{2}"}
_COMPRESSIONS = {".gz": "gzip", ".zip": "zip"}
# Encodings with a state, or of units nobody drops: one wrong byte changes what all that follow mean.
_NOT_READ = ("utf-32", "utf-7", "iso2022", "hz")
_TABLE_NAME = re.compile(r"[a-z][a-z0-9_]*")


@dataclass(frozen=True)
class DropPattern:
    """Which files of a source's inbox folder are drops of a table, and the load day their name says."""

    text: str

    def load_date(self, file_name: str) -> date | None:
        """The load day of a file (path below the source's inbox folder, with /); None when it is not such a drop."""
        found = re.fullmatch(self._regex, file_name)
        if not found:
            return None
        try:
            return datetime.strptime(found["load_date"], self._format).date()
        except ValueError:
            return None

    @property
    def _format(self) -> str:
        return (_LOAD_DATE.search(self.text) or [None, None])[1] or "%Y-%m-%d"

    @property
    def _regex(self) -> str:
        before, after = _LOAD_DATE.sub("\0", self.text).split("\0")
        day = re.sub(r"%.", lambda part: _DIGITS[part[0]], re.escape(self._format).replace("\\-", "-"))
        return f"{_wild(before)}(?P<load_date>{day}){_wild(after)}"


@dataclass(frozen=True)
class TableMapping:
    """How one canonical table comes from one kind of file. `columns` has an expression per mapped canonical column."""

    table: str
    drops: DropPattern
    format: str
    encoding: str
    delimiter: str
    quote: str
    names: tuple[str, ...]
    missing_words: tuple[str, ...]
    may_be_absent: tuple[str, ...]
    reading: Reading
    columns: tuple[tuple[str, Expression], ...]
    final_newline: str

    @property
    def compression(self) -> str:
        """How its drops are compressed, as the end of their name says: gzip, zip, or '' when they are not."""
        return next((kind for end, kind in _COMPRESSIONS.items() if self.drops.text.endswith(end)), "")

    @property
    def source_columns(self) -> tuple[str, ...]:
        """The source columns any expression reads, in order of first use."""
        names = [name for _, expression in self.columns for name in expression.source_columns]
        return tuple(
            {name.casefold(): name for name in reversed(names)}[key] for key in dict.fromkeys(map(str.casefold, names))
        )

    @property
    def needed_columns(self) -> tuple[str, ...]:
        """The source columns a drop must have: all that are read but those that may be absent."""
        optional = set(map(str.casefold, self.may_be_absent))
        return tuple(name for name in self.source_columns if name.casefold() not in optional)


@dataclass(frozen=True)
class Source:
    """One source system or data set of the home."""

    name: str
    description: str
    currency: str
    inbox: Path
    tables: dict[str, TableMapping]


def load_sources(settings: Settings, contracts: dict[str, Contract]) -> dict[str, Source]:
    """Read the mapping of every source the home names, in the home's order.

    Raises BadConfiguration naming file, key, reason and next step when one is missing or cannot be used.
    """
    return {name: read_source(settings, name, contracts) for name in settings.sources}


def read_source(settings: Settings, name: str, contracts: dict[str, Contract]) -> Source:
    """Read one source's mapping and prepare every expression of it. Raises BadConfiguration as `load_sources` does."""
    path = settings.sources_dir / f"{name}.yml"
    if not _TABLE_NAME.fullmatch(name):
        raise BadConfiguration(
            f"{settings.config}: source '{name}' is not a name; use lower-case letters, digits and _"
        )
    if not path.exists():
        known = ", ".join(sorted(one.stem for one in settings.sources_dir.glob("*.yml"))) or "none yet"
        raise BadConfiguration(
            f"{path}: not found, but {settings.config.name} names the source '{name}' (mappings there: {known});"
            " write it (docs/how-to/bring-your-data.md) or take the name out of 'sources'"
        )
    said = read_mapping(path, what=f"the mapping of source '{name}'")
    _refuse_unknown(path, said, _SOURCE_KEYS, at="")
    tables = said.get("tables")
    if not isinstance(tables, dict) or not tables:
        raise _bad(path, "tables", "is missing or empty", "map at least order_lines, events or identifiers")
    currency = str(said.get("currency", settings.currency))
    if settings.currency and currency != settings.currency:
        raise _bad(
            path, "currency", f"is {currency}, but the home counts in {settings.currency}",
            f"convert the amounts in their expressions and say 'currency: {settings.currency}'",
        )  # fmt: skip
    with connect() as connection:
        mappings = {
            table: _table(path, connection, table, one, _written(path, said, {}, settings), contracts, settings)
            for table, one in tables.items()
        }
    return Source(name, " ".join(str(said.get("description", "")).split()), currency, settings.inbox / name, mappings)


def _table(
    path: Path,
    connection: duckdb.DuckDBPyConnection,
    table: str,
    said: Any,
    defaults: dict[str, Any],
    contracts: dict[str, Contract],
    settings: Settings,
) -> TableMapping:
    at = f"tables.{table}"
    if table not in contracts:
        raise _bad(path, at, "is not a canonical table", f"use one of {', '.join(contracts)}")
    if not isinstance(said, dict):
        raise _bad(path, at, "must be a mapping", "say at least file, format and columns")
    _refuse_unknown(path, said, _TABLE_KEYS, at=f"{at}.")
    written = _written(path, said, defaults, settings, at=f"{at}.")
    format_ = said.get("format")
    if format_ not in FORMATS:
        raise _bad(path, f"{at}.format", f"is '{format_}'", f"use one of {', '.join(FORMATS)}")
    names = _names(path, said, f"{at}.names")
    if names and format_ != "csv":
        raise _bad(path, f"{at}.names", f"has no meaning for {format_}, whose records name their columns", "remove it")
    reading = Reading(
        time_zone=written["time_zone"],
        decimal_mark=written["decimal_mark"],
        thousands_mark=written["thousands_mark"],
        date_formats=tuple(written["date_formats"]),
        timestamp_formats=tuple(written["timestamp_formats"]),
    )
    try:
        declare_readers(connection, reading)
    except BadExpression as error:
        raise _bad(
            path,
            f"{at}.date_formats or timestamp_formats",
            str(error),
            "use strptime's letters, such as %d.%m.%Y %H:%M",
        ) from error
    mapping = TableMapping(
        table=table,
        drops=_pattern(path, said.get("file"), f"{at}.file"),
        format=format_,
        encoding=written["encoding"],
        delimiter=written["delimiter"],
        quote=written["quote"],
        names=names,
        missing_words=tuple(written["missing_words"]),
        may_be_absent=_names(path, said, f"{at}.may_be_absent"),
        reading=reading,
        columns=_columns(path, connection, contracts[table], said.get("columns"), f"{at}.columns"),
        final_newline=written["final_newline"],
    )
    if mapping.compression and format_ == "parquet":
        raise _bad(path, f"{at}.file", "is compressed, but Parquet compresses itself", "drop the Parquet file as it is")
    lacking = [
        name for name in mapping.source_columns if names and name.casefold() not in set(map(str.casefold, names))
    ]
    if lacking:
        raise _bad(path, f"{at}.columns", f"reads '{lacking[0]}', which is not among 'names'", "correct one of the two")
    return mapping


def _columns(
    path: Path, connection: duckdb.DuckDBPyConnection, contract: Contract, said: Any, at: str
) -> tuple[tuple[str, Expression], ...]:
    if not isinstance(said, dict) or not said:
        raise _bad(
            path, at, "is missing or empty", "give an SQL expression per canonical column, such as 'store_id: shop'"
        )
    for name in said:
        if name not in contract.column_names:
            known = ", ".join(contract.column_names)
            raise _bad(path, f"{at}.{name}", f"is not a column of {contract.name}", f"use one of {known}")
    mapped = []
    for column in contract.columns:
        if column.name not in said:
            if column.is_required and column.default is None:
                raise _bad(path, at, f"lacks '{column.name}', which {contract.name} requires", "map it")
            continue
        text = said[column.name]
        if text is None or isinstance(text, dict | list):
            raise _bad(path, f"{at}.{column.name}", "is not an SQL expression", "write one as text")
        if isinstance(text, bool) and column.type != "boolean":
            raise _bad(
                path, f"{at}.{column.name}", "is yes, no, on, off, true or false, which YAML does not take for text",
                "put it in quotes, such as 'off'",
            )  # fmt: skip
        try:
            expression = bind(connection, str(text).lower() if isinstance(text, bool) else str(text))
            conversion(column.type, expression.type, "x")
        except BadExpression as error:
            raise _bad(
                path, f"{at}.{column.name}", str(error), "correct the expression (docs/how-to/bring-your-data.md)"
            ) from error
        mapped.append((column.name, expression))
    return tuple(mapped)


def _written(
    path: Path, said: dict[str, Any], defaults: dict[str, Any], settings: Settings, at: str = ""
) -> dict[str, Any]:
    """The marks, formats and encoding in force: the table's, else the source's, else ours."""
    written = {key: said.get(key, defaults.get(key, ours)) for key, ours in _WRITTEN.items()}
    written["time_zone"] = written["time_zone"] or settings.time_zone
    for key in ("date_formats", "timestamp_formats", "missing_words"):
        value = [written[key]] if isinstance(written[key], str) else written[key]
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            raise _bad(path, at + key, "is not a list of texts", "write one as ['%d.%m.%Y']")
        written[key] = value
    try:
        ZoneInfo(str(written["time_zone"]))
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise _bad(
            path, at + "time_zone", f"'{written['time_zone']}' is not an IANA zone", "use one such as Europe/Berlin"
        ) from error
    for key, longest in (("delimiter", 1), ("quote", 1), ("decimal_mark", 1), ("thousands_mark", 1)):
        value = written[key]
        is_one = (
            isinstance(value, str) and len(value) <= longest and value.isascii() and value not in ("\n", "\r", "\0")
        )
        if not is_one or (not value and key in ("delimiter", "decimal_mark")):
            raise _bad(path, at + key, f"'{value}' is not one ASCII character", "correct it")
    if written["delimiter"] == written["quote"]:
        raise _bad(path, at + "delimiter", "is also the quote character", "correct one of the two")
    if written["decimal_mark"] == written["thousands_mark"]:
        raise _bad(path, at + "decimal_mark", "is also the thousands mark", "correct one of the two")
    if written["final_newline"] not in ("optional", "required"):
        raise _bad(path, at + "final_newline", f"is '{written['final_newline']}'", "say optional or required")
    written["encoding"] = _encoding(path, str(written["encoding"]), at + "encoding")
    return written


def _encoding(path: Path, name: str, at: str) -> str:
    try:
        "".encode(name)
        found = codecs.lookup(name).name
    except LookupError as error:
        raise _bad(path, at, f"'{name}' is unknown", "use a name such as utf-8, cp1252, gb18030") from error
    if found.replace("_", "-").startswith(_NOT_READ):
        raise _bad(path, at, f"'{name}' cannot be read record by record", "have the source write utf-8")
    return "utf-8" if found == "utf-8-sig" else found


def _pattern(path: Path, said: Any, at: str) -> DropPattern:
    if not isinstance(said, str) or not said:
        raise _bad(path, at, "is missing", "say which files are drops, such as pos/sales_{load_date}.csv")
    if said.startswith("/") or "\\" in said or ".." in said.split("/"):
        raise _bad(path, at, f"'{said}' leaves the source's inbox folder", "write a path below it")
    places = _LOAD_DATE.findall(said)
    if len(places) != 1:
        raise _bad(
            path, at, f"'{said}' must hold {{load_date}} once", "say where a drop's name or folder tells its load day"
        )
    letters = re.findall(r"%.", places[0])
    if places[0] and sorted(letters) != ["%Y", "%d", "%m"]:
        raise _bad(
            path, at, f"'{places[0]}' is not a form of a day", "use %Y, %m and %d once each, such as {load_date:%Y%m%d}"
        )
    return DropPattern(said)


def _wild(text: str) -> str:
    return "[^/]*".join(map(re.escape, text.split("*")))


def _names(path: Path, said: dict[str, Any], at: str) -> tuple[str, ...]:
    value = said.get(at.rpartition(".")[2]) or []
    if not isinstance(value, list) or len({str(one).casefold() for one in value}) != len(value):
        raise _bad(path, at, "is not a list of different column names", "write one as [id, day, amount]")
    return tuple(map(str, value))


def _refuse_unknown(path: Path, said: dict[str, Any], known: set[str], at: str) -> None:
    for key in said:
        if key not in known:
            raise _bad(path, f"{at}{key}", "is an unknown key", f"the keys are {', '.join(sorted(known))}")


def _bad(path: Path, key: str, reason: str, next_step: str) -> BadConfiguration:
    return BadConfiguration(f"{path}: '{key}' {reason}; {next_step}")
