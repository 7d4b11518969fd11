"""Named bad inputs: each a file of 50 good records with one thing wrong, and what must become of it.

One bad record costs one record, a broken file costs that file, and what is merely unusual costs nothing.
"""

from __future__ import annotations

import gzip
import io
import json
import struct
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from faults.landing_home import DAY, Kind

HEADER = "line,who,bought_at,pieces,paid,note"
GOOD = 50
FIELDS = HEADER.split(",")

CSV = Kind("plain")
NAMED = Kind("nameless", keys="")
UTF16 = Kind("wide", keys="encoding: utf-16")
UTF16LE = Kind("wide_le", keys="encoding: utf-16-le")
UTF16BE = Kind("wide_be", keys="encoding: utf-16-be")
GBK = Kind("gbk", keys="encoding: gbk")
GB18030 = Kind("gb18030", keys="encoding: gb18030")
BIG5 = Kind("big5", keys="encoding: big5")
CP1252 = Kind("cp1252", keys="encoding: cp1252")
WHOLE = Kind("whole", keys="final_newline: required")
GERMAN = Kind("german", keys='delimiter: ";"\ndecimal_mark: ","\nthousands_mark: "."')
BERLIN = Kind("berlin", keys="time_zone: Europe/Berlin")
SHANGHAI = Kind("shanghai", keys="time_zone: Asia/Shanghai")
EPOCH = Kind("epoch", keys="timestamp_formats: [epoch_seconds]")
STYLES = Kind("styles", keys="timestamp_formats: ['%d.%m.%Y %H:%M', '%Y/%m/%d']")
UNQUOTED = Kind("unquoted", keys='quote: ""')
JSONL = Kind("objects", ending="jsonl", format="jsonl")
GZIP = Kind("packed", ending="csv.gz")
GZIP_JSON = Kind("packed_objects", ending="jsonl.gz", format="jsonl")
ZIP = Kind("zipped", ending="csv.zip")
PARQUET = Kind("columns", ending="parquet", format="parquet")
REVIEWS = Kind("reviews", table="reviews")
REVIEW_COLUMNS = Kind("review_columns", ending="parquet", format="parquet", table="reviews")
KINDS = [
    CSV, UTF16, UTF16LE, UTF16BE, GBK, GB18030, BIG5, CP1252, WHOLE, GERMAN, BERLIN, SHANGHAI, EPOCH, STYLES, UNQUOTED,
    JSONL, GZIP, GZIP_JSON, ZIP, PARQUET, REVIEWS, REVIEW_COLUMNS,
]  # fmt: skip


@dataclass(frozen=True)
class BadInput:
    """`build()` gives the file's bytes; of its records `accepted` must be taken and `refused` quarantined, by reason.

    `value` is what the unusual record must come out as: the name of a landed column and its value.
    """

    name: str
    kind: Kind
    build: Callable[[], bytes]
    accepted: int
    refused: dict[str, int] = field(default_factory=dict)
    value: tuple[str, Any] | None = None


def _given(data: bytes) -> Callable[[], bytes]:
    return lambda: data


def row(number: int, **changes: str) -> dict[str, str]:
    """One good record; a change replaces a value."""
    good = {
        "line": f"L{number}",
        "who": f"c{number % 7}",
        "bought_at": f"2024-01-01 10:{number % 60:02d}:00",
        "pieces": "1",
        "paid": f"{number}.25",
        "note": f"p{number}",
    }
    return good | changes


def good_rows(count: int = GOOD) -> list[dict[str, str]]:
    return [row(number) for number in range(1, count + 1)]


def csv_text(rows: list[dict[str, str]], mark: str = ",", end: str = "\n") -> str:
    lines = [mark.join(FIELDS), *(mark.join(one[name] for name in FIELDS) for one in rows)]
    return end.join(lines) + end


def all_bad_inputs() -> list[BadInput]:
    """Every named bad input; the names are unique."""
    groups = (
        _numbers, _amounts, _instants, _required, _structure, _headers, _encodings, _cuts, _archives, _objects, _texts,
        _injections, _columns, _doubles,
    )  # fmt: skip
    return [one for group in groups for one in group()]


def _with(name: str, kind: Kind, reason: str = "", value: Any = None, /, **changes: str) -> BadInput:
    """50 good records and, in their middle, one with other values: refused for `reason`, or accepted if that is ''."""
    mark = ";" if kind is GERMAN else ","
    rows = good_rows()
    if kind is EPOCH:
        rows = [one | {"bought_at": "1704103200"} for one in rows]
    if kind is STYLES:
        rows = [one | {"bought_at": "01.01.2024 10:00"} for one in rows]
    if kind is GERMAN:
        rows = [one | {"paid": one["paid"].replace(".", ",")} for one in rows]
    other = rows[0] | {"line": "odd"} | changes
    rows.insert(25, other)

    def build() -> bytes:
        encoding = kind.keys.partition("encoding: ")[2] or "utf-8"
        if kind.format == "jsonl":
            return "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in rows).encode()
        return csv_text(rows, mark).encode(encoding)

    return BadInput(name, kind, build, GOOD + (not reason), {reason: 1} if reason else {}, value)


def _numbers() -> Iterator[BadInput]:
    no_numbers = (
        "12元", "１２", "１２.５０", "1 000", "1_000", "0x1F", "1e", "e3", "--1", "+-1", "1-", "1.2.3", "NaN", "nan",
        "Infinity",
        "-inf", "+Inf", "one", "1e400", "1e18", "9" * 40, "½", "٣", "1٫5", "$5", "5 USD", "(5)", "5%", "NULL", "N/A",
        "#REF!",
        "1'000", "−5", "1e-400", ".", "-", "+", "true", "1.#INF",
    )  # fmt: skip
    for text in no_numbers:
        yield _with(f"amount {text[:12]!r}", CSV, "TYPE", paid=text)
    for text in ("NaN", "１２", "12元", "1e30", "two", "1_0"):
        yield _with(f"quantity {text!r}", CSV, "TYPE", pieces=text)
        yield _with(f"quantity {text!r} in JSON Lines", JSONL, "TYPE", pieces=text)
    yield _with("amount '12,5' where the mark is a point", CSV, "TYPE", paid='"12,5"')
    for text, value in (
        ("1e3", "1000"), (" 2.5 ", "2.50"), ("+1", "1"), (".5", "0.50"), ("5.", "5"), ("-0.0", "0"), ("0", "0"),
        ("-3.10", "-3.10"),
        ("007", "7"), ("2.5E-1", "0.25"), ("1.004", "1.00"),
    ):  # fmt: skip
        yield _with(f"amount {text!r} is a number", CSV, "", ("net_amount", Decimal(value)), paid=text)
    for text, value in (("12,5", "12.50"), ("1.234,50", "1234.50"), ("1234", "1234")):
        yield _with(f"amount {text!r} with German marks", GERMAN, "", ("net_amount", Decimal(value)), paid=text)
    for text in ("12.5", "1.23,5", "12.34.567", "1,234,5", "1,234.50"):
        yield _with(f"amount {text!r} with German marks is refused", GERMAN, "TYPE", paid=text)


def _amounts() -> Iterator[BadInput]:
    for text in ("1e12", "-1e12", "10000000001"):
        yield _with(f"absurd amount {text}", CSV, "RULE:figures_are_sane", paid=text)
        yield _with(f"absurd quantity {text}", CSV, "RULE:figures_are_sane", pieces=text)
    yield _with("a refund", CSV, "", ("net_amount", Decimal("-12.50")), paid="-12.50", pieces="-1")
    yield _with("a gift", CSV, "", ("net_amount", Decimal(0)), paid="0.00")
    yield _with("nothing of something", CSV, "", ("quantity", Decimal(0)), pieces="0")


def _instants() -> Iterator[BadInput]:
    no_instants = (
        "yesterday", "2024-02-30 10:00:00", "2023-02-29", "2024-13-01", "2024-00-10", "2024-01-32", "01/02/2024",
        "1.1.2024",
        "2024.01.01", "2024-1-1", "24-01-01", "20240101", "1704103200", "2024-01-01 24:00:00", "2024-01-01 25:00",
        "infinity",
        "-infinity", "epoch", "now", "today", "2024-01-01 10:60:00", "2024-01-01 10:00:60", "２０２４-01-01",
        "0000-00-00 00:00:00",
        "2024-01-01 10:00:00 PM", "2024-01-01T10:00:00+99:00", "2024-01-01T10:00:00 Mars/Base",
        "Mon Jan 1 10:00:00 2024",
        "2024年1月1日", "2016-12-31 23:59:60",
    )  # fmt: skip
    for text in no_instants:
        yield _with(f"instant {text!r}", CSV, "TYPE", bought_at=text)
    for text in ("1970-01-01 00:00:00", "1989-12-31 23:59:59", "0024-01-01", "1900-01-01 10:00:00", "0001-01-01"):
        yield _with(f"ancient instant {text!r}", CSV, "RULE:ordered_at_is_sane", bought_at=text)
    for text in ("2024-01-04 00:00:00", "2038-01-19 03:14:08", "2074-01-01", "2099-12-31 23:59:59", "2101-01-01"):
        yield _with(f"future instant {text!r}", CSV, "FUTURE_TIME", bought_at=text)
        yield _with(f"future instant {text!r} in JSON Lines", JSONL, "FUTURE_TIME", bought_at=text)
    yield _with("future epoch", EPOCH, "FUTURE_TIME", bought_at="4102444800")
    yield _with("epoch 0", EPOCH, "RULE:ordered_at_is_sane", bought_at="0")
    yield _with("epoch in milliseconds given as seconds", EPOCH, "FUTURE_TIME", bought_at="17041032000")
    yield _with("epoch with letters", EPOCH, "TYPE", bought_at="17041o3200")
    for text in ("epoch", "infinity", "31.02.2024 10:00", "2024-01-01", "1.13.2024 10:00", "01.01.2024 24:00"):
        yield _with(f"instant {text!r} in declared formats", STYLES, "TYPE", bought_at=text)
    from datetime import datetime

    def reads(name: str, kind: Kind, text: str, utc: datetime) -> BadInput:
        return _with(name, kind, "", ("ordered_at", utc), bought_at=text)

    yield reads("last instant that is not the future", CSV, "2024-01-03 23:59:59", datetime(2024, 1, 3, 23, 59, 59))
    yield reads("leap day", CSV, "2020-02-29 10:00", datetime(2020, 2, 29, 10))
    yield reads("offset of a zone", CSV, "2024-01-01T10:00:00+08:00", datetime(2024, 1, 1, 2))
    yield reads("second declared format", STYLES, "2024/01/01", datetime(2024, 1, 1))
    yield reads("midnight in Shanghai", SHANGHAI, "2024-01-01 00:00:00", datetime(2023, 12, 31, 16))
    yield reads("before midnight in Shanghai", SHANGHAI, "2023-12-31 23:59:59", datetime(2023, 12, 31, 15, 59, 59))
    yield _with("an hour that the clocks skip", BERLIN, "TYPE", bought_at="2023-03-26 02:30:00")
    yield reads("the hour after it", BERLIN, "2023-03-26 03:30:00", datetime(2023, 3, 26, 1, 30))
    yield reads("an hour that the clocks repeat", BERLIN, "2023-10-29 02:30:00", datetime(2023, 10, 29, 1, 30))


def _required() -> Iterator[BadInput]:
    for name in ("line", "who", "bought_at", "pieces", "paid"):
        yield _with(f"empty {name}", CSV, "REQUIRED", **{name: ""})
        yield _with(f"blank {name} in JSON Lines", JSONL, "REQUIRED", **{name: "  "})


def _edited(
    name: str, edit: Callable[[list[bytes]], None], accepted: int, refused: dict[str, int], kind: Kind = CSV
) -> BadInput:
    """A file whose lines (the header is line 0) were edited."""

    def build() -> bytes:
        lines = csv_text(good_rows()).encode().splitlines(keepends=True)
        edit(lines)
        return b"".join(lines)

    return BadInput(name, kind, build, accepted, refused)


def _line(name: str, line: bytes, accepted: int, refused: dict[str, int], kind: Kind = CSV) -> BadInput:
    """A line more among the good ones."""
    return _edited(name, lambda lines: lines.insert(26, line), accepted, refused, kind)


def _structure() -> Iterator[BadInput]:
    when = b"2024-01-01 10:00:00"
    yield _line("a field too few", b"x,c1," + when + b",1,2\n", 50, {"FIELDS": 1})
    yield _line("a field too many", b"x,c1," + when + b",1,2,p,q\n", 50, {"FIELDS": 1})
    yield _line("a line of delimiters", b",,,,,\n", 50, {"REQUIRED": 1})
    yield _line("a lone delimiter", b",\n", 50, {"FIELDS": 1})
    yield _line("a line of another file", b"<?xml version='1.0'?>\n", 50, {"FIELDS": 1})
    yield _line("the header again", HEADER.encode() + b"\n", 50, {"TYPE": 1})
    yield _line("a blank line", b"\n", 50, {})
    yield _line("a blank line with a carriage return", b"\r\n", 50, {})
    yield _line("ten blank lines", b"\n" * 10, 50, {})
    yield _line("an open quote", b'x,"c1,' + when + b",1,2,p\n", 50, {"UNTERMINATED_QUOTE": 1})
    yield _line("an open quote at the end", b"x,c1," + when + b',1,2,"p\n', 50, {"UNTERMINATED_QUOTE": 1})
    yield _line("a lone quote", b'"\n', 50, {"UNTERMINATED_QUOTE": 1})
    yield _line("a quote inside a field", b'x,c"1,' + when + b",1,2,p\n", 50, {"QUOTE": 1})
    yield _line("text after a quote", b'x,"c"1,' + when + b",1,2,p\n", 50, {"QUOTE": 1})
    yield _line("quotes that are not declared", b'x,"c,1",' + when + b",1,2,p\n", 50, {"FIELDS": 1}, UNQUOTED)
    yield _line("a quote where quotes mean nothing", b'x,c"1,' + when + b",1,2,p\n", 51, {}, UNQUOTED)
    yield _line("a quoted line end", b'x,"c\n1",' + when + b",1,2,p\n", 51, {})
    yield _line("a quoted delimiter", b'x,"c,1",' + when + b",1,2,p\n", 51, {})
    yield _line("a doubled quote", b'x,"c""1",' + when + b",1,2,p\n", 51, {})
    yield _line("a NUL", b"x,c\0001," + when + b",1,2,p\n", 50, {"ENCODING": 1})
    yield _line("a NUL in quotes", b'x,"c\0001",' + when + b",1,2,p\n", 50, {"ENCODING": 1})
    yield _line("a carriage return inside", b"x,c\r1," + when + b",1,2,p\n", 50, {"FIELDS": 1})
    yield _line("a quoted field of 1 MB", b"x,c1," + when + b',1,2,"' + b"p" * 10**6 + b'"\n', 51, {})
    yield _line("a field of 1 MB", b"x,c1," + when + b",1,2," + b"p" * 10**6 + b"\n", 51, {})
    yield _line("a field beyond 4 MiB", b"x,c1," + when + b",1,2," + b"p" * (4 * 2**20) + b"\n", 50, {"TOO_LONG": 1})
    yield _line(
        "a quoted field beyond 4 MiB", b"x,c1," + when + b',1,2,"' + b"p" * (4 * 2**20) + b'"\n', 50, {"TOO_LONG": 1}
    )
    yield _line("a thousand delimiters", b"," * 1000 + b"\n", 50, {"FIELDS": 1})
    yield _line("fields of another delimiter", b"x;c1;2024;1;2;p\n", 50, {"FIELDS": 1})
    yield _line("a form feed", b"\x0c\n", 50, {"FIELDS": 1})
    yield _line("a control-Z", b"\x1a\n", 50, {"FIELDS": 1})
    yield _edited(
        "carriage returns", lambda lines: lines.__setitem__(slice(None), [one[:-1] + b"\r\n" for one in lines]), 50, {}
    )
    yield _edited("no line end at the end", lambda lines: lines.append(lines.pop()[:-1]), 50, {})
    yield _edited("a byte order mark", lambda lines: lines.insert(0, b"\xef\xbb\xbf"), 50, {})
    yield _edited("blank lines before the header", lambda lines: lines.insert(0, b"\n\r\n"), 50, {})
    yield _edited("the first record twice", lambda lines: lines.insert(1, lines[1]), 51, {})
    yield _edited(
        "a byte order mark in the middle", lambda lines: lines.insert(20, b"\xef\xbb\xbf"), 49, {"ENCODING": 1}
    )


def _headers() -> Iterator[BadInput]:
    def header(name: str, line: str, accepted: int) -> BadInput:
        rejected = {} if accepted else {"HEADER": 50}
        return _edited(name, lambda lines: lines.__setitem__(0, line.encode() + b"\n"), accepted, rejected)

    yield header("a renamed column", HEADER.replace("paid", "price"), 0)
    yield header("a column twice", HEADER.replace("note", "paid"), 0)
    yield header("a column twice in another case", HEADER.replace("note", "PAID"), 0)
    yield header("a header in capitals", HEADER.upper(), 50)
    yield header("a header in quotes", ",".join(f'"{one}"' for one in FIELDS), 50)
    yield header("blanks around names", " , ".join(FIELDS), 50)
    yield header("no header at all", "L0,c1,2024-01-01 10:00:00,1,2.50,p", 0)
    yield header("a full-width column name", HEADER.replace("paid", "ｐａｉｄ"), 0)
    yield header("an empty column name", HEADER.replace("paid", ""), 0)

    def columns(name: str, names: list[str], accepted: int, **more: str) -> BadInput:
        def build() -> bytes:
            rows = [one | more for one in good_rows()]
            return "".join(
                ",".join(one[part] for part in names) + "\n" for one in [{n: n for n in (*FIELDS, *more)}, *rows]
            ).encode()

        return BadInput(name, CSV, build, accepted, {} if accepted else {"HEADER": 50})

    yield columns("a missing column", FIELDS[:-2] + FIELDS[-1:], 0)
    yield columns("columns in another order", FIELDS[::-1], 50)
    yield columns("a column more", [*FIELDS, "extra"], 50, extra="1")
    yield columns("a column called _file", [*FIELDS, "_file"], 50, _file="1")
    yield columns("a column called load_date", [*FIELDS, "load_date"], 50, load_date="2001-01-01")
    yield BadInput("0 bytes", CSV, lambda: b"", 0)
    yield BadInput("a header alone", CSV, lambda: HEADER.encode() + b"\n", 0)
    yield BadInput("a header alone without a line end", CSV, lambda: HEADER.encode(), 0)
    yield BadInput("line ends alone", CSV, lambda: b"\n\n\r\n", 0)
    yield BadInput("a byte order mark alone", CSV, lambda: b"\xef\xbb\xbf", 0)
    yield BadInput("random bytes", CSV, lambda: bytes(range(200, 10, -1)), 0, {"HEADER": 1})


CHINESE = ("张伟", "李娜", "王芳", "刘洋", "陈静", "杨磊", "赵敏", "黄勇", "周杰", "吴霞")


def _chinese(names: tuple[str, ...] = CHINESE) -> str:
    """Ten records with Chinese names among the good ones."""
    rows = good_rows()
    for at, name in enumerate(names):
        rows[at * 5]["who"] = name
    return csv_text(rows)


def _names_for(encoding: str) -> tuple[str, ...]:
    return (*CHINESE[:9], "𠮷") if encoding == "gb18030" else CHINESE  # only gb18030 has it


def _encodings() -> Iterator[BadInput]:
    for kind, encoding in (
        (GBK, "gbk"),
        (GB18030, "gb18030"),
        (UTF16, "utf-16"),
        (UTF16LE, "utf-16-le"),
        (UTF16BE, "utf-16-be"),
    ):
        yield BadInput(
            f"{encoding} as declared",
            kind,
            _given(_chinese(_names_for(encoding)).encode(encoding)),
            50,
        )
        yield BadInput(
            f"{encoding} given as UTF-8", CSV,
            _given(_chinese(_names_for(encoding)).encode(encoding)),
            *((0, {"ENCODING": 50}) if "16" in encoding else (40, {"ENCODING": 10})),
        )  # fmt: skip
    traditional = ("張偉", "李娜", "王芳", "劉洋", "陳靜", "楊磊", "趙敏", "黃勇", "周杰", "吳霞")
    yield BadInput("big5 as declared", BIG5, lambda: _chinese(traditional).encode("big5"), 50)
    yield BadInput("big5 given as UTF-8", CSV, lambda: _chinese(traditional).encode("big5"), 40, {"ENCODING": 10})
    yield BadInput("utf-16 without a mark", UTF16, lambda: _chinese().encode("utf-16-le"), 50)
    yield BadInput(
        "utf-16, big end first, with a mark", UTF16, lambda: b"\xfe\xff" + _chinese().encode("utf-16-be"), 50
    )
    yield BadInput(
        "utf-16 with a mark against the declared order",
        UTF16LE,
        lambda: b"\xfe\xff" + _chinese().encode("utf-16-be"),
        50,
    )
    yield BadInput(
        "utf-16 with half a character at the end", UTF16, lambda: _chinese().encode("utf-16")[:-1], 0, {"TRUNCATED": 50}
    )
    for kind, encoding in ((GBK, "gbk"), (GB18030, "gb18030"), (BIG5, "big5"), (CP1252, "cp1252")):
        yield BadInput(f"UTF-8 given as {encoding}", kind, lambda: _chinese().encode(), 40, {"ENCODING": 10})
    yield BadInput(
        "UTF-8 with a mark given as cp1252",
        CP1252,
        lambda: b"\xef\xbb\xbf" + csv_text(good_rows()).encode(),
        0,
        {"HEADER": 50},
    )
    yield BadInput("UTF-16 given as gbk", GBK, lambda: _chinese().encode("utf-16"), 0, {"ENCODING": 50})
    by_chance = ("一", "劝", *CHINESE[2:])  # 劝 is valid UTF-8 by chance
    yield BadInput(
        "gbk with a pair that is valid UTF-8", CSV, lambda: _chinese(by_chance).encode("gbk"), 40, {"ENCODING": 10}
    )

    def lone(unit: bytes) -> bytes:
        text = csv_text([*good_rows(), row(51, who="X@")]).encode("utf-16-le")
        return text.replace("@".encode("utf-16-le"), unit)

    yield BadInput("utf-16 with half a pair", UTF16LE, lambda: lone(b"\x00\xd8"), 50, {"ENCODING": 1})
    when = b"2024-01-01 10:00:00"
    for name, bad in (
        ("a Latin-1 byte", b"caf\xe9"), ("an overlong slash", b"\xc0\xaf"), ("half a surrogate pair", b"\xed\xa0\x80"),
        ("a byte beyond Unicode", b"\xf5\x80\x80\x80"), ("a stray continuation", b"a\x80b"), ("byte 0xFF", b"\xff"),
        ("a code point beyond U+10FFFF", b"\xf4\x90\x80\x80"), ("CESU-8", b"\xed\xa0\xbd\xed\xb8\x80"),
    ):  # fmt: skip
        yield _line(f"{name} in UTF-8", b"x," + bad + b"," + when + b",1,2,p\n", 50, {"ENCODING": 1})
        yield _line(f"{name} in quotes", b'x,"' + bad + b'",' + when + b",1,2,p\n", 50, {"ENCODING": 1})
    yield _line("a byte cp1252 does not have", b"x,\x81," + when + b",1,2,p\n", 50, {"ENCODING": 1}, CP1252)
    yield _line("half a gbk character", b"x,\xd5," + when + b",1,2,p\n", 50, {"ENCODING": 1}, GBK)


def _objects_text(count: int = GOOD) -> str:
    return "".join(json.dumps(one) + "\n" for one in good_rows(count))


def _records_of(data: bytes, has_header: bool) -> int:
    return len([one for one in data.split(b"\n") if one.strip()]) - has_header


def _inside_a_record(data: bytes, near: int, mark: bytes) -> bytes:
    """The first bytes, cut behind the first mark of the line that `near` lies in."""
    start = data.rfind(b"\n", 0, near) + 1
    return data[: data.index(mark, start) + len(mark)]


def _cuts() -> Iterator[BadInput]:
    text, lines = csv_text(good_rows()).encode(), _objects_text().encode()
    where = {"at 10 %": 0.1, "at 50 %": 0.5, "200 bytes before its end": -200}

    def place(data: bytes, share: float) -> int:
        return len(data) + int(share) if share < 0 else int(len(data) * share)

    for name, share in where.items():
        csv_cut = _inside_a_record(text, place(text, share), b",")
        yield BadInput(f"CSV cut {name}", CSV, _given(csv_cut), 0, {"TRUNCATED": _records_of(csv_cut, True)})
        json_cut = _inside_a_record(lines, place(lines, share), b'"who"')
        yield BadInput(
            f"JSON Lines cut {name}", JSONL, _given(json_cut), 0, {"TRUNCATED": _records_of(json_cut, False)}
        )
        for kind, packed in ((GZIP, gzip.compress(text * 20, mtime=0)), (ZIP, zipped(text * 20)), (PARQUET, parquet())):
            cut = packed[: place(packed, share)]
            yield BadInput(f"{kind.ending} cut {name}", kind, _given(cut), 0, {"TRUNCATED": 1})
    yield BadInput("CSV cut inside a quote", CSV, lambda: text + b'x,"c', 0, {"TRUNCATED": 51})
    yield BadInput(
        "CSV cut inside a quoted text of several lines",
        CSV,
        lambda: text + b'x,c1,2024-01-01,1,2,"p\nq\nr',
        0,
        {"TRUNCATED": 53},
    )
    yield BadInput(
        "CSV cut inside a character",
        CSV,
        lambda: text + "x,c1,2024-01-01 10:00:00,1,2,茶".encode()[:-1],
        0,
        {"TRUNCATED": 51},
    )
    yield BadInput(
        "JSON Lines cut behind a brace",
        JSONL,
        lambda: lines + b'{"a":{"b":1}',
        0,
        {"TRUNCATED": 51},
    )
    first, rest = lines.split(b"\n", 1)
    yield BadInput(
        "a byte order mark inside JSON Lines, as where files were joined",
        JSONL,
        lambda: first + b"\n\xef\xbb\xbf" + rest,
        49,
        {"JSON": 1},
    )
    yield BadInput(
        "a line of UTF-16 in JSON Lines",
        JSONL,
        lambda: lines + first.decode().replace("L1", "L51").encode("utf-16-le") + b"\n",
        50,
        {"JSON": 1},
    )
    yield BadInput("JSON Lines cut inside a word", JSONL, lambda: lines + b'{"a":tru', 0, {"TRUNCATED": 51})
    yield BadInput("cut inside the last field, line end required", WHOLE, lambda: text[:-2], 0, {"TRUNCATED": 50})
    yield BadInput("cut before the last line end, line end required", WHOLE, lambda: text[:-1], 0, {"TRUNCATED": 50})
    yield BadInput("whole, line end required", WHOLE, lambda: text, 50)
    yield BadInput(
        "a last record with a field too many and no line end",
        CSV,
        lambda: text + b"x,c1,2024-01-01 10:00:00,1,2,p,q",
        50,
        {"FIELDS": 1},
    )
    yield BadInput(
        "a last object that is no object, without a line end", JSONL, lambda: lines + b"[1]", 50, {"JSON": 1}
    )
    yield BadInput(
        "UTF-16 cut inside a record", UTF16, lambda: text.decode().encode("utf-16")[:200], 0, {"TRUNCATED": 2}
    )


def zipped(data: bytes, name: str = "a.csv", **attributes: Any) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        info = zipfile.ZipInfo(name)
        info.compress_type = zipfile.ZIP_DEFLATED
        for key, value in attributes.items():
            setattr(info, key, value)
        archive.writestr(info, data)
    return file.getvalue()


def _archives() -> Iterator[BadInput]:
    text = csv_text(good_rows()).encode()
    one = {"ARCHIVE": 1}
    packed = gzip.compress(text, mtime=0)
    yield BadInput("a gzip file", GZIP, lambda: packed, 50)
    yield BadInput(
        "a gzip file in two members", GZIP, lambda: gzip.compress(text[:500]) + gzip.compress(text[500:]), 50
    )
    yield BadInput("a gzip file with padding", GZIP, lambda: packed + b"\0" * 100, 50)
    yield BadInput("a gzip file of JSON Lines", GZIP_JSON, lambda: gzip.compress(_objects_text().encode()), 50)
    yield BadInput("a gzip file with a bad record", GZIP, lambda: gzip.compress(text + b"x,y\n"), 50, {"FIELDS": 1})
    yield BadInput(
        "a gzip file of a cut text",
        GZIP,
        lambda: gzip.compress(text[:200]),
        0,
        {"TRUNCATED": _records_of(text[:200], True)},
    )
    yield BadInput(
        "a gzip file with a wrong checksum", GZIP, lambda: packed[:-8] + bytes(4) + packed[-4:], 0, {"UNREADABLE": 1}
    )
    yield BadInput("a gzip file with a wrong length", GZIP, lambda: packed[:-4] + bytes(4), 0, {"UNREADABLE": 1})
    yield BadInput("bytes after a gzip file", GZIP, lambda: packed + b"more", 0, {"UNREADABLE": 1})
    yield BadInput("a plain file called .gz", GZIP, lambda: text, 0, {"UNREADABLE": 1})
    yield BadInput("a gzip file without its mapping saying so", CSV, lambda: packed, 0, one)
    yield BadInput("a ZIP file without its mapping saying so", CSV, lambda: zipped(text), 0, one)
    yield BadInput("an empty .gz", GZIP, lambda: b"", 0, {"TRUNCATED": 1})
    yield BadInput("a gzip of nothing", GZIP, lambda: gzip.compress(b""), 0)
    yield BadInput("gzip in gzip", GZIP, lambda: gzip.compress(packed), 0, one)
    yield BadInput("gzip in ZIP", ZIP, lambda: zipped(packed), 0, one)
    yield BadInput("a gzip of 2,000 members", GZIP, lambda: gzip.compress(b"") * 2000, 0, one)
    yield BadInput("a gzip bomb", GZIP, gzip_bomb, 0, one)
    yield BadInput("a ZIP bomb", ZIP, lambda: zipped(bytes(60 * 2**20)), 0, one)
    yield BadInput("a ZIP file", ZIP, lambda: zipped(text), 50)
    yield BadInput("a ZIP file with a folder's name before", ZIP, lambda: zipped(text, "out/a.csv"), 50)
    for name in ("../a.csv", "/etc/a.csv", "..\\a.csv", "C:\\a.csv", "a/../../b.csv", "\\\\host\\a.csv"):
        yield BadInput(f"a ZIP file with {name}", ZIP, _given(zipped(text, name)), 0, one)
    yield BadInput(
        "a ZIP file with a symbolic link", ZIP, lambda: zipped(b"/etc/passwd", external_attr=0o120777 << 16), 0, one
    )
    yield BadInput("a ZIP file with a device", ZIP, lambda: zipped(b"", external_attr=0o020666 << 16), 0, one)
    yield BadInput("a ZIP file with a folder alone", ZIP, lambda: zipped(b"", "folder/"), 0, one)
    yield BadInput("a ZIP file called .zip inside", ZIP, lambda: zipped(zipped(text), "a.zip"), 0, one)
    yield BadInput("an encrypted ZIP file", ZIP, lambda: _encrypted(zipped(text)), 0, one)
    yield BadInput("a ZIP file of two files", ZIP, lambda: _zip_of(2), 0, one)
    yield BadInput("a ZIP file of 5,000 files", ZIP, lambda: _zip_of(5_000), 0, one)
    yield BadInput("a ZIP file of nothing", ZIP, lambda: _zip_of(0), 0, one)
    yield BadInput("a plain file called .zip", ZIP, lambda: text, 0, {"UNREADABLE": 1})
    yield BadInput("a ZIP file that claims 5 GB", ZIP, lambda: _claiming(zipped(text), 2**32 - 2), 0, one)
    yield BadInput("a ZIP file with a wrong checksum", ZIP, lambda: _wrong_checksum(zipped(text)), 0, {"UNREADABLE": 1})


def gzip_bomb(mebibytes: int = 60) -> bytes:
    """That many MiB of one byte, without ever holding them."""
    file = io.BytesIO()
    with gzip.GzipFile(fileobj=file, mode="wb", mtime=0) as packed:
        for _ in range(mebibytes):
            packed.write(bytes(2**20))
    return file.getvalue()


def _zip_of(count: int) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for number in range(count):
            archive.writestr(f"{number}.csv", b"")
    return file.getvalue()


def _encrypted(data: bytes) -> bytes:
    at = data.index(b"PK\x01\x02") + 8
    return data[:6] + b"\x01\0" + data[8:at] + b"\x01\0" + data[at + 2 :]


def _claiming(data: bytes, size: int) -> bytes:
    at = data.index(b"PK\x01\x02") + 24
    return data[:at] + struct.pack("<L", size) + data[at + 4 :]


def _wrong_checksum(data: bytes) -> bytes:
    at = data.index(b"PK\x01\x02") + 16
    return data[:14] + bytes(4) + data[18:at] + bytes(4) + data[at + 4 :]


def _objects() -> Iterator[BadInput]:
    def line(name: str, text: str | bytes, accepted: int = 50, **refused: int) -> BadInput:
        one = text.encode() if isinstance(text, str) else text

        def build() -> bytes:
            lines = _objects_text().encode().splitlines(keepends=True)
            return b"".join([*lines[:25], one, b"\n", *lines[25:]])

        return BadInput(name, JSONL, build, accepted, refused)

    good = json.dumps(row(51))
    for name, text in (
        ("an array", "[1]"), ("a number", "1"), ("a text", '"x"'), ("null", "null"), ("an open brace", "{"),
        ("two objects", "{} {}"),
        ("a comma at the end", good[:-1] + ",}"), ("single quotes", good.replace('"', "'")),
        ("NaN", good.replace('"51.25"', "NaN")),
        ("Infinity", good.replace('"51.25"', "Infinity")), ("half a pair of \\u", good.replace("p51", "\\ud800")),
        ("the other half", good.replace("p51", "\\udc00x")), ("an escaped NUL", good.replace("p51", "a\\u0000b")),
        ("a key twice", good[:-1] + ', "paid": "1"}'), ("a comment", good + " // x"),
        ("a bare word", good.replace('"51.25"', "abc")),
        ("a tab in a text", good.replace("p51", "a\tb")), ("nested beyond all depth",
        '{"a":' * 5000 + "1" + "}" * 5000),
        ("a number of 5,000 digits", good.replace('"51.25"', "1" * 5000)),
        ("a hexadecimal number", good.replace('"51.25"', "0x1F")),
        ("a leading zero", good.replace('"51.25"', "007")), ("a plus", good.replace('"51.25"', "+1")),
    ):  # fmt: skip
        yield line(f"JSON Lines: {name}", text, JSON=1)
    yield line("JSON Lines: 1e400", good.replace('"51.25"', "1e400"), TYPE=1)
    yield line("JSON Lines: an amount that is an object", good.replace('"51.25"', '{"a": 1}'), TYPE=1)
    yield line("JSON Lines: an amount that is a list", good.replace('"51.25"', "[1]"), TYPE=1)
    yield line("JSON Lines: an amount that is true", good.replace('"51.25"', "true"), TYPE=1)
    yield line("JSON Lines: an amount that is null", good.replace('"51.25"', "null"), REQUIRED=1)
    yield line("JSON Lines: no amount", "{}", REQUIRED=1)
    yield line("JSON Lines: a byte that is no text", good.encode().replace(b"p51", b"\xff"), ENCODING=1)
    yield line("JSON Lines: a NUL", good.encode().replace(b"p51", b"\0"), JSON=1)
    yield line("JSON Lines: a number as a number", good.replace('"51.25"', "51.25"), 51)
    yield line("JSON Lines: an escaped backslash before u0000", good.replace("p51", "a\\\\u0000b"), 51)
    yield line("JSON Lines: a blank line", "", 50)
    yield line("JSON Lines: a key more", good[:-1] + ', "more": {"a": [1, 2]}}', 51)
    yield line("JSON Lines: a pair of \\u", good.replace("p51", "\\ud83d\\ude00"), 51)


UNUSUAL_TEXTS = {
    "an emoji": "🛒👩🏽‍🚀", "CJK extension B": "𠀀𠮷", "a right-to-left override": "a\u202eb\u202c",
    "zero width": "a\u200bb\u200dc\ufeffd",
    "combining marks": "e\u0301 ñ n\u0303", "Hebrew": "שלום", "a private-use character": "\ue000",
    "U+FFFD itself": "a\ufffdb",
    "a line separator": "a\u2028b\u2029c", "NEL": "a\u0085b", "a no-break space": "a\u00a0b",
    "an ideographic space": "张\u3000伟",
    "a plane-16 character": "\U0010fffd", "a bell": "a\x07b", "a full-width name": "ＡＢＣ",
}  # fmt: skip

HOSTILE_TEXTS = {
    "a script": "<script>alert(1)</script>", "an image with onerror": "<img src=x onerror=alert(1)>",
    "a formula": "=1+1",
    "a plus formula": "+cmd|' /C calc'!A0", "an at formula": "@SUM(A1)", "a full-width formula": "＝1+1",
    "an SQL injection": "x'; drop table orders; --", "a jinja expression": "{{ 7 * 7 }}",
    "a jinja statement": "{% raw %}",
    "a path": "../../etc/passwd", "a template": "${jndi:ldap://x}", "a format": "%s%n{0}", "a backslash": "a\\nb\\",
    "a percent": "100%d",
}  # fmt: skip


def _texts() -> Iterator[BadInput]:
    for name, text in UNUSUAL_TEXTS.items():
        for kind in (CSV, JSONL, UTF16, GB18030):
            yield _with(f"{name} in {kind.name}", kind, "", ("product_id", text), note=text)


def _injections() -> Iterator[BadInput]:
    for name, text in HOSTILE_TEXTS.items():
        for kind in (CSV, JSONL):
            yield _with(f"{name} in {kind.name}", kind, "", ("product_id", text), note=text)
    for name, column in (
        ("a quote", 'a"b'), ("SQL", "x'; drop table t; --"), ("jinja", "{{ x }}"), ("a script", "<script>"),
        ("a NUL escape", "\\0"),
    ):  # fmt: skip

        def build(column: str = column) -> bytes:
            quoted = '"' + column.replace('"', '""') + '"'
            return (f"{HEADER},{quoted}\n" + "".join(",".join(one.values()) + ",1\n" for one in good_rows())).encode()

        yield BadInput(f"a column called {name}", CSV, build, 50)
        yield BadInput(
            f"a JSON key called {name}", JSONL,
            _given("".join(json.dumps(one | {column: "1"}) + "\n" for one in good_rows()).encode()), 50,
        )  # fmt: skip
        yield BadInput(f"a Parquet column called {name}", PARQUET, _given(parquet({column: ["1"] * GOOD})), 50)


def parquet(more: dict[str, list[Any]] | None = None, **replaced: Any) -> bytes:
    """50 good records as Parquet; further columns, or others in their place (an Arrow array or a list)."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = good_rows()
    columns: dict[str, Any] = {name: [one[name] for one in rows] for name in FIELDS}
    file = io.BytesIO()
    pq.write_table(pa.table(columns | (more or {}) | replaced), file)
    return file.getvalue()


def _columns() -> Iterator[BadInput]:
    import pyarrow as pa

    def doubles(odd: float) -> list[float]:
        return [odd, *(1.25 for _ in range(GOOD - 1))]

    whole = parquet()
    yield BadInput("Parquet", PARQUET, parquet, 50)
    for name, odd in (
        ("NaN", float("nan")),
        ("infinity", float("inf")),
        ("minus infinity", float("-inf")),
        ("1e300", 1e300),
    ):
        yield BadInput(f"Parquet: an amount {name}", PARQUET, _given(parquet(paid=doubles(odd))), 49, {"TYPE": 1})
        yield BadInput(f"Parquet: a quantity {name}", PARQUET, _given(parquet(pieces=doubles(odd))), 49, {"TYPE": 1})
    yield BadInput("Parquet: an amount minus zero", PARQUET, lambda: parquet(paid=doubles(-0.0)), 50)
    yield BadInput("Parquet: a subnormal amount", PARQUET, lambda: parquet(paid=doubles(5e-324)), 49, {"TYPE": 1})
    yield BadInput("Parquet: a NUL", PARQUET, lambda: parquet(note=["a\0b", *["p"] * 49]), 49, {"TYPE": 1})
    yield BadInput("Parquet: an empty amount", PARQUET, lambda: parquet(paid=[None, *["1"] * 49]), 49, {"REQUIRED": 1})
    yield BadInput("Parquet: a column lacks", PARQUET, lambda: _without("paid"), 0, {"HEADER": 50})
    yield BadInput("Parquet: no rows", PARQUET, lambda: _no_rows(), 0)
    for name in ("_file", "_record", "filename", "load_date", "_problem", "_day"):
        yield BadInput(f"Parquet: a column called {name}", PARQUET, _given(parquet({name: ["7"] * GOOD})), 50)
    taken = parquet({"file_row_number": ["7"] * GOOD})
    yield BadInput("Parquet: a column called file_row_number", PARQUET, lambda: taken, 0, {"HEADER": 50})
    yield BadInput("Parquet: 0 bytes", PARQUET, lambda: b"", 0, {"UNREADABLE": 1})
    yield BadInput("Parquet: a CSV file", PARQUET, lambda: csv_text(good_rows()).encode(), 0, {"UNREADABLE": 1})
    yield BadInput("Parquet: both ends and nothing between", PARQUET, lambda: b"PAR1PAR1", 0, {"UNREADABLE": 1})
    yield BadInput(
        "Parquet: a footer that claims too much",
        PARQUET,
        lambda: whole[:-8] + b"\xff\xff\xff\x7fPAR1",
        0,
        {"UNREADABLE": 1},
    )
    yield BadInput("Parquet: a gzip file", PARQUET, lambda: gzip.compress(whole), 0, {"UNREADABLE": 1})
    yield BadInput("Parquet: lists in place of texts", PARQUET, lambda: parquet(paid=[["1"]] * GOOD), 0, {"TYPE": 50})
    yield BadInput(
        "Parquet: bytes that are no text", PARQUET, lambda: parquet(note=pa.array([b"\xff"] * GOOD, pa.binary())), 50
    )
    from datetime import datetime

    times = [datetime(2074, 1, 1), *[datetime(2024, 1, 1)] * 49]
    yield BadInput("Parquet: a future instant", PARQUET, lambda: parquet(bought_at=times), 49, {"FUTURE_TIME": 1})
    from datetime import date as day

    yield BadInput("Parquet: instants that are days", PARQUET, lambda: parquet(bought_at=[day(2024, 1, 1)] * GOOD), 50)


def _without(name: str) -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    file = io.BytesIO()
    pq.write_table(pq.read_table(pa.BufferReader(parquet())).drop([name]), file)
    return file.getvalue()


def _no_rows() -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    file = io.BytesIO()
    pq.write_table(pq.read_table(pa.BufferReader(parquet())).slice(0, 0), file)
    return file.getvalue()


def _doubles() -> Iterator[BadInput]:
    for text in ("NaN", "inf", "-Infinity", "1e400", "five", "４"):
        yield _with(f"rating {text!r}", REVIEWS, "TYPE", paid=text)
    yield _with("rating '-0.0'", REVIEWS, "", ("net_amount", 0.0), paid="-0.0")
    for name, odd in (("NaN", float("nan")), ("infinity", float("inf")), ("minus infinity", float("-inf"))):
        yield BadInput(
            f"Parquet: a rating {name}",
            REVIEW_COLUMNS,
            _given(parquet(paid=[odd, *[4.5] * 49])),
            49,
            {"TYPE": 1},
        )


assert DAY.year == 2024  # the records above are of that day
