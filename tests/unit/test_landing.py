from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from huaxiang.contracts import load_contracts
from huaxiang.errors import BrokenConservation, MissingPartition
from huaxiang.landing import conservation, input_hashes, landed_tables
from huaxiang.landing import land as land_module

from .conftest import MAPPING

HEADER = "line,who,bought_at,pieces,paid\n"
DAY = "sales_2024-01-01.csv"


def line(number: int, who: str = "ann", at: str = "2024-01-01 10:00:00", pieces: str = "1", paid: str = "2.50") -> str:
    return f"{number},{who},{at},{pieces},{paid}\n"


def mapped(**changes: str) -> str:
    """The mapping with other settings of the source, or other expressions of a canonical column."""
    text = MAPPING
    for key, value in changes.items():
        old = [one for one in MAPPING.splitlines() if one.strip().startswith(f"{key}:")]
        text = text.replace(old[0], f"      {key}: {value}") if old else f"{key}: {value}\n{text}"
    return text


def test_a_clean_file_is_accepted_whole(shop):
    shop.drops(DAY, HEADER + line(1) + line(2, paid="-1"))
    shop.lands()

    assert shop.rows("order_line_id, customer_id, ordered_at::varchar, quantity, net_amount, product_id") == [
        ("1", "ann", "2024-01-01 10:00:00", Decimal("1.000"), Decimal("2.50"), None),
        ("2", "ann", "2024-01-01 10:00:00", Decimal("1.000"), Decimal("-1.00"), None),
    ]
    assert shop.rows("source_name || record_number || load_date") == ["shop12024-01-01", "shop22024-01-01"]
    assert shop.refused() == []


def test_what_a_source_does_not_have_gets_the_contracts_default(shop):
    shop.drops(DAY, HEADER + line(1, paid="2.50"))
    shop.lands()

    assert shop.rows("gross_amount, discount_amount, coupon_amount") == [
        (Decimal("2.50"), Decimal("0.00"), Decimal("0.00"))
    ]


def test_landed_files_have_the_contracts_columns_and_an_empty_twin(shop):
    import pyarrow.parquet as pq

    shop.drops(DAY, HEADER + line(1))
    shop.lands()

    names = [
        *load_contracts(shop.settings)["order_lines"].column_names,
        "source_name",
        "file_id",
        "record_number",
        "load_date",
    ]
    landing = shop.settings.home.landing
    files = list(landing.glob("*/order_lines/load_date=*/*.parquet"))
    assert len(files) == 2
    for path in files:
        assert pq.read_schema(path).names == names
    assert len(list(landing.glob("_none/*/load_date=0001-01-01/empty.parquet"))) == len(load_contracts(shop.settings))


def test_records_in_are_accepted_or_quarantined_and_the_ledger_says_so(shop):
    shop.drops(DAY, HEADER + line(1) + "2,too,few\n" + line(3, paid="much") + line(4))
    shop.lands()

    rows = [(row.outcome, row.reason, row.records, row.records_in, row.net_amount) for row in shop.ledger()]
    assert rows == [
        ("accepted", "", 2, 4, Decimal("5.00")),
        ("quarantined", "FIELDS", 1, 4, None),
        ("quarantined", "TYPE", 1, 4, None),
    ]
    total = conservation(shop.settings, date(2024, 1, 1))[0]
    assert (total.files, total.records_in, total.accepted, total.quarantined) == (1, 4, 2, 2)


def test_a_thousand_lines_with_one_unterminated_quote_lose_one(shop):
    lines = [line(number) for number in range(2, 1001)]
    lines[50] = '52,"ann,2024-01-01 10:00:00,1,2.50\n'
    shop.drops(DAY, HEADER + "".join(lines))
    shop.lands()

    assert shop.refused() == [(52, "UNTERMINATED_QUOTE")]
    assert [int(number) for number in shop.rows("order_line_id")] == [one for one in range(2, 1001) if one != 52]


@pytest.mark.parametrize(
    ("record", "reason", "detail"),
    [
        (line(1, paid="two"), "TYPE", "net_amount: not a number that fits decimal(18,2)"),
        (line(1, paid="1,5").replace("1,5", '"1,5"'), "TYPE", "net_amount: not a number that fits decimal(18,2)"),
        (line(1, paid="1_000"), "TYPE", "net_amount: not a number that fits decimal(18,2)"),
        (line(1, paid="nan"), "TYPE", "net_amount: not a number that fits decimal(18,2)"),
        (line(1, paid="1e18"), "TYPE", "net_amount: not a number that fits decimal(18,2)"),
        (line(1, at="yesterday"), "TYPE", "ordered_at: not an instant"),
        (line(1, at="2024-02-30 10:00:00"), "TYPE", "ordered_at: not an instant"),
        (line(1, at="infinity"), "TYPE", "ordered_at: not an instant"),
        (line(1, who=""), "REQUIRED", "customer_id: empty"),
        (line(1, who="  "), "REQUIRED", "customer_id: empty"),
        (line(1, paid=""), "REQUIRED", "net_amount: empty"),
        (line(1, at="1970-01-01 00:00:00"), "RULE:ordered_at_is_sane", "ordered_at_is_sane: An instant before 1990"),
        ("1,ann\n", "FIELDS", "2 fields where the header has 5"),
        ('1,a"b,2024-01-01 10:00:00,1,1\n', "QUOTE", "a quote inside a field that is not quoted"),
    ],
)
def test_a_bad_record_is_quarantined_with_its_reason_and_its_neighbour_is_not(shop, record, reason, detail):
    shop.drops(DAY, HEADER + record + line(2))
    shop.lands()

    found = shop.refused("reason, detail, raw_text, line_number, record_number, file_name")
    assert [found[0][0], found[0][2:]] == [reason, (record.rstrip("\n"), 2, 1, f"shop/{DAY}")]
    assert found[0][1].startswith(detail)
    assert shop.rows("order_line_id") == ["2"]


def test_amounts_that_do_not_add_up_are_quarantined(shop):
    shop.maps(MAPPING + "      gross_amount: shelf\n      discount_amount: less\n")
    header = HEADER.replace("\n", ",shelf,less\n")
    good, bad = line(1).replace("\n", ",3.00,0.50\n"), line(2).replace("\n", ",3.00,0.51\n")
    shop.drops(DAY, header + good + bad)
    shop.lands()

    assert shop.rows("order_line_id") == ["1"]
    assert shop.refused("reason") == ["RULE:amounts_add_up"]


def test_a_text_inside_an_expression_is_never_a_silent_null(shop):
    shop.maps(mapped(net_amount="coalesce(number(paid), 0) * number(pieces)"))
    shop.drops(DAY, HEADER + line(1, pieces="2") + line(2, paid="x") + line(3, paid=""))
    shop.lands()

    assert shop.rows("net_amount") == [Decimal("5.00"), Decimal("0.00")]
    assert shop.refused("record_number, reason, detail") == [(2, "TYPE", "net_amount: paid is not a number")]


def test_an_expression_that_fails_on_a_record_costs_that_record(shop):
    shop.maps(mapped(net_amount="cast(paid as integer)"))
    shop.drops(DAY, HEADER + line(1, paid="2") + line(2, paid="x"))
    shop.lands()

    assert shop.rows("net_amount") == [Decimal("2.00")]
    assert shop.refused("detail") == ["net_amount: its expression fails on this record"]


def test_an_embedded_line_end_is_part_of_its_field(shop):
    shop.drops(DAY, HEADER + '1,"ann\r\n\nlee",2024-01-01 10:00:00,1,2.50\n' + line(2, paid="x"))
    shop.lands()

    assert shop.rows("customer_id") == ["ann\r\n\nlee"]
    assert shop.refused() == [(5, "TYPE")]


@pytest.mark.parametrize(("encoding", "name"), [("cp1252", "Jürgen"), ("gbk", "李雷"), ("utf-8-sig", "Zoë")])
def test_names_arrive_whatever_the_encoding(shop, encoding, name):
    shop.maps(mapped(encoding=encoding))
    shop.drops(DAY, (HEADER + line(1, who=name)).encode(encoding))
    shop.lands()

    assert shop.rows("customer_id") == [name]


@pytest.mark.parametrize(
    ("delimiter", "quote", "written", "read"),
    [
        ("|", '"', '"a|b"', "a|b"),
        ("|", "", '5" pipe', '5" pipe'),
        ("\t", "'", "'it''s'", "it's"),
        ("%", '"', "瓅", "瓅"),
    ],
)
def test_delimiters_and_quotes_are_those_of_the_source(shop, delimiter, quote, written, read):
    shop.maps(
        mapped(
            encoding="gb18030", delimiter=repr(delimiter).replace("'", '"'), quote='"' + quote.replace('"', '\\"') + '"'
        )
    )
    shop.drops(DAY, (HEADER + line(1, who=written)).replace(",", delimiter).encode("gb18030"))
    shop.lands()

    assert shop.rows("customer_id") == [read]


def test_carriage_returns_blank_lines_and_a_missing_last_line_end_change_nothing(shop):
    text = (HEADER + line(1) + "\n" + line(2)).rstrip("\n").replace("\n", "\r\n")
    shop.drops(DAY, "\ufeff" + text)
    shop.lands()

    assert shop.rows("order_line_id, record_number, net_amount") == [
        ("1", 1, Decimal("2.50")),
        ("2", 2, Decimal("2.50")),
    ]
    assert shop.refused() == []


def test_marks_formats_and_missing_words_are_those_of_the_source(shop):
    shop.maps(
        mapped(
            delimiter="';'",
            decimal_mark="','",
            thousands_mark="'.'",
            timestamp_formats="['%d.%m.%Y %H:%M']",
            missing_words="['-']",
        )
        + "      discount_amount: less\n"
    )
    header = HEADER.replace(",", ";").replace("\n", ";less\n")
    rows = "1;ann;31.12.2023 23:30;0,750;1.234,50;-\n2;bob;2023-12-31 23:30;1;1;1\n3;cem;31.12.2023 23:30;1;12.5;-\n"
    shop.drops(DAY, header + rows)
    shop.lands()

    assert shop.rows("ordered_at::varchar, quantity, net_amount, discount_amount") == [
        ("2023-12-31 23:30:00", Decimal("0.750"), Decimal("1234.50"), Decimal("0.00"))
    ]
    assert shop.refused() == [(3, "TYPE"), (4, "TYPE")]


@pytest.mark.parametrize(
    ("written", "utc"),
    [
        ("2024-01-01 00:30:00", "2023-12-31 23:30:00"),
        ("2024-07-01 00:30", "2024-06-30 22:30:00"),
        ("2024-07-01T00:30:00Z", "2024-07-01 00:30:00"),
        ("2024-07-01T00:30:00-05:00", "2024-07-01 05:30:00"),
        ("2024-07-01", "2024-06-30 22:00:00"),
    ],
)
def test_an_instant_without_an_offset_is_local_time_of_the_source(shop, written, utc):
    shop.maps(mapped(time_zone="Europe/Berlin"))
    shop.drops("sales_2024-07-01.csv", HEADER + line(1, at=written))
    shop.lands("2024-07-01")

    assert shop.rows("ordered_at::varchar") == [utc]


@pytest.mark.parametrize(
    ("formats", "written", "utc"),
    [
        ("[epoch_seconds]", "1704067200", "2024-01-01 00:00:00"),
        ("[epoch_milliseconds]", "1704067200500", "2024-01-01 00:00:00.5"),
        ("['%d/%m/%Y %H:%M %z']", "01/01/2024 01:00 +0100", "2024-01-01 00:00:00"),
        ("['%Y%m%d', '%d.%m.%Y']", "01.01.2024", "2024-01-01 00:00:00"),
    ],
)
def test_instants_are_read_by_the_declared_formats(shop, formats, written, utc):
    shop.maps(mapped(timestamp_formats=formats))
    shop.drops(DAY, HEADER + line(1, at=written) + line(2, at="20240101 at noon"))
    shop.lands()

    assert shop.rows("ordered_at::varchar") == [utc]
    assert shop.refused("reason") == ["TYPE"]


def test_columns_are_found_by_name_whatever_their_order_and_case(shop):
    shop.drops(DAY, HEADER + line(1))
    shop.drops("sales_2024-01-02.csv", "extra,Paid,PIECES,bought_at,who,line\n?,7.00,1,2024-01-02 10:00:00,bob,2\n")
    shop.lands("2024-01-02")

    assert sorted(shop.rows("customer_id, net_amount")) == [("ann", Decimal("2.50")), ("bob", Decimal("7.00"))]


def test_a_file_without_a_mapped_column_is_quarantined_whole(shop):
    shop.drops(DAY, HEADER.replace("paid", "price") + line(1) + "2,x\n")
    shop.lands()

    assert shop.rows() == []
    assert shop.refused("line_number, reason, detail") == [
        (2, "HEADER", "paid: no such column in the drop"),
        (3, "HEADER", "paid: no such column in the drop"),
    ]


@pytest.mark.parametrize("content", ["", "\n\n", "no header of ours\n"])
def test_a_file_without_records_is_told_too(shop, content):
    shop.drops(DAY, content)
    shop.lands()

    assert [(row.outcome, row.reason, row.records_in) for row in shop.ledger()] == [("quarantined", "HEADER", 0)]


def test_a_file_with_a_header_alone_is_accepted(shop):
    shop.drops(DAY, HEADER)
    shop.lands()

    assert [(row.outcome, row.records) for row in shop.ledger()] == [("accepted", 0)]


def test_a_column_that_may_be_absent_reads_as_empty(shop):
    shop.maps(MAPPING.replace("format: csv", "format: csv\n    may_be_absent: [shop]") + "      store_id: shop\n")
    shop.drops(DAY, HEADER + line(1))
    shop.drops("sales_2024-01-02.csv", HEADER.replace("\n", ",shop\n") + line(2).replace("\n", ",north\n"))
    shop.lands("2024-01-02")

    assert sorted(shop.rows("order_line_id, store_id")) == [("1", None), ("2", "north")]


def test_a_file_without_a_header_takes_its_names_from_the_mapping(shop):
    shop.maps(MAPPING.replace("format: csv", "format: csv\n    names: [line, who, bought_at, pieces, paid]"))
    shop.drops(DAY, line(1) + "2,few\n")
    shop.lands()

    assert shop.rows("order_line_id") == ["1"]
    assert shop.refused() == [(2, "FIELDS")]


def test_a_mapping_can_use_the_drops_own_day_file_and_record_number(shop):
    shop.maps(mapped(order_line_id="file_id || '-' || record_number", ordered_at="load_date", order_id="load_date"))
    shop.drops(DAY, HEADER + line(1) + line(1))
    shop.lands()

    file_id = shop.ledger()[0].file_id
    assert shop.rows("order_line_id, order_id, ordered_at::varchar") == [
        (f"{file_id}-1", "2024-01-01", "2024-01-01 00:00:00"),
        (f"{file_id}-2", "2024-01-01", "2024-01-01 00:00:00"),
    ]


def test_landing_again_changes_nothing(shop):
    shop.drops(DAY, HEADER + line(1) + "2,few\n")
    shop.lands()
    before = shop.files()

    shop.lands()

    assert shop.files() == before


def test_only_drops_loaded_by_the_known_day_are_taken(shop):
    shop.drops(DAY, HEADER + line(1))
    shop.drops("sales_2024-01-02.csv", HEADER + line(2))
    shop.lands("2024-01-01")
    assert shop.rows("order_line_id") == ["1"]

    shop.lands("2024-01-02")

    assert sorted(shop.rows("order_line_id")) == ["1", "2"]
    assert len(input_hashes(shop.settings, date(2024, 1, 1))) == 1
    assert len(input_hashes(shop.settings, date(2024, 1, 2))) == 2


def test_the_same_content_under_another_name_is_told_once_and_does_nothing(shop):
    shop.drops(DAY, HEADER + line(1))
    shop.lands()
    shop.drops("sales_2024-01-02.csv", HEADER + line(1))

    for _ in range(2):
        shop.lands("2024-01-02")

    assert shop.rows("order_line_id") == ["1"]
    assert [(row.call_number, row.outcome, row.records) for row in shop.ledger()] == [
        (1, "accepted", 1),
        (2, "duplicate_file", 1),
    ]
    total = conservation(shop.settings, date(2024, 1, 2))[0]
    assert (total.files, total.duplicate_files, total.accepted) == (1, 1, 1)


def test_the_same_name_with_other_content_is_another_drop(shop):
    shop.drops(DAY, HEADER + line(1, paid="99.00"))
    shop.lands()
    shop.drops(DAY, HEADER + line(1, paid="9.90"))
    shop.lands()

    assert sorted(shop.rows("net_amount")) == [Decimal("9.90"), Decimal("99.00")]
    assert [row.call_number for row in shop.ledger()] == [1, 2]


def test_a_record_lost_on_the_way_stops_landing_and_nothing_is_committed(shop, monkeypatch):
    from huaxiang.landing import text

    shop.drops(DAY, HEADER + line(1) + line(2) + line(3))
    whole = text.write_accepted
    monkeypatch.setattr(
        text,
        "write_accepted",
        lambda home, drop, contract, parts: whole(home, drop, contract, [part.slice(1) for part in parts]),
    )

    with pytest.raises(
        BrokenConservation, match=f"shop/{DAY}: 3 records came in, but 2 were accepted and 0 quarantined"
    ):
        shop.lands()

    assert (shop.ledger(), shop.rows()) == ([], [])


def test_after_a_crash_before_the_commit_the_next_call_writes_the_same_bytes(shop, tmp_path, monkeypatch):
    shop.drops(DAY, HEADER + line(1) + line(2, paid="x"))
    commit = land_module.__globals__["write_call"]

    def crash(*_):
        raise KeyboardInterrupt

    monkeypatch.setitem(land_module.__globals__, "write_call", crash)
    with pytest.raises(KeyboardInterrupt):
        shop.lands()
    crashed = shop.files()
    assert shop.ledger() == []
    monkeypatch.setitem(land_module.__globals__, "write_call", commit)
    shop.lands()

    after = shop.files()
    assert {name: after[name] for name in crashed} == crashed
    assert set(after) - set(crashed) == {"ledger/000001.parquet"}


def test_raw_bytes_that_a_power_cut_damaged_are_copied_again(shop):
    from huaxiang.files import sha256

    path = shop.drops(DAY, HEADER + line(1) + line(2))
    raw = shop.settings.home.raw / sha256(path)
    raw.parent.mkdir(parents=True)
    raw.write_bytes(path.read_bytes()[:-20])
    shop.lands()

    assert shop.rows("order_line_id") == ["1", "2"]


def test_what_a_crash_left_of_a_drop_that_was_replaced_is_removed(shop, monkeypatch):
    shop.drops(DAY, HEADER + line(1, paid="99.00"))
    commit = land_module.__globals__["write_call"]
    monkeypatch.setitem(land_module.__globals__, "write_call", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        shop.lands()
    monkeypatch.setitem(land_module.__globals__, "write_call", commit)
    shop.drops(DAY, HEADER + line(1, paid="9.90"))
    shop.lands()

    assert shop.rows("net_amount") == [Decimal("9.90")]


def test_equal_drops_give_equal_bytes_however_they_are_batched(shop, monkeypatch):
    from huaxiang.landing import text

    for day in range(1, 6):
        shop.drops(f"sales_2024-01-0{day}.csv", HEADER + line(day) + line(day, paid="x"))
    shop.lands("2024-01-05")
    together = {name: one for name, one in shop.files().items() if not name.startswith("ledger")}
    for name in together:
        (shop.settings.home.root / name).unlink()
    (shop.settings.home.ledger / "000001.parquet").unlink()
    monkeypatch.setattr(text, "_BATCH_BYTES", 1)

    shop.lands("2024-01-05")

    assert {name: one for name, one in shop.files().items() if not name.startswith("ledger")} == together


EVENTS = """
tables:
  events:
    file: clicks_{load_date}.jsonl
    format: jsonl
    decimal_mark: ','
    columns:
      event_id: id
      customer_id: '"user"'
      occurred_at: at_time
      event_type: kind
      page: payload ->> '$.page'
"""


def test_json_lines_land_and_a_bad_line_is_quarantined(shop):
    shop.maps(EVENTS)
    good = '{"id": 1, "user": "ann", "at_time": "2024-01-01T10:00:00Z", "kind": "view", "payload": {"page": "/a"}}\n'
    bare = '{"id": 2, "user": "bob", "at_time": "2024-01-01T10:00:00Z", "kind": "view", "payload": null}\n'
    shop.drops("clicks_2024-01-01.jsonl", good + '{"id": 3, "user": \n' + "\n" + bare + '{"id": 4}\n')
    shop.lands()

    assert shop.rows("event_id, customer_id, page", "events") == [("1", "ann", "/a"), ("2", "bob", None)]
    assert shop.refused("line_number, reason, raw_text", "events") == [
        (2, "JSON", '{"id": 3, "user":'),
        (5, "REQUIRED", '{"id": 4}'),
    ]


def test_a_mapped_key_no_line_has_refuses_the_json_file(shop):
    shop.maps(EVENTS)
    shop.drops(
        "clicks_2024-01-01.jsonl", '{"id": 1, "user": "ann", "at_time": "2024-01-01", "type": "view", "payload": {}}\n'
    )
    shop.lands()

    assert shop.refused("reason, detail", "events") == [("HEADER", "kind: no such column in the drop")]


def test_json_keys_that_differ_in_case_are_different_keys(shop):
    shop.maps(EVENTS)
    text = '{"id": 1, "User": "ann", "at_time": "2024-01-01", "kind": "view", "payload": {}}\n'
    shop.drops("clicks_2024-01-01.jsonl", text)
    shop.lands()

    assert shop.refused("reason, detail", "events") == [("HEADER", "user: no such column in the drop")]


def test_json_numbers_are_read_whatever_the_decimal_mark_of_texts(shop):
    shop.maps(MAPPING.replace(".csv", ".jsonl").replace("csv", "jsonl\n    decimal_mark: ','"))
    record = '{"line": 1, "who": 7, "bought_at": "2024-01-01", "pieces": 2, "paid": %s}\n'
    shop.drops("sales_2024-01-01.jsonl", record % "12.5" + record % '"12,5"' + record % '"12.5"')
    shop.lands()

    assert shop.rows("net_amount") == [Decimal("12.50"), Decimal("12.50")]
    assert shop.refused() == [(3, "TYPE")]


PROMOTIONS = """
tables:
  order_lines: {order_lines}
  promotions:
    file: promotions_{{load_date}}.parquet
    format: parquet
    columns:
      product_id: product
      store_id: shop
      week_start_on: date '2024-01-01' + 7 * number(week)::integer
      display_location: place
      mailer_location: "'0'"
"""


@pytest.fixture
def promotions(shop):
    """A shop that also drops promotions as Parquet; gives a function that drops rows."""
    import yaml

    order_lines = yaml.safe_load(MAPPING)["tables"]["order_lines"]
    shop.maps(PROMOTIONS.format(order_lines=order_lines))
    shop.drops(DAY, HEADER + line(1))

    def drop(select: str) -> None:
        import duckdb

        path = shop.drops("promotions_2024-01-01.parquet", b"")
        duckdb.execute(f"copy ({select}) to '{path}' (format parquet)")
        shop.lands()

    return drop


def test_parquet_drops_land_typed_columns_as_their_contract_says(shop, promotions):
    promotions("select 10 + i as product, 7 as shop, 1::bigint as week, 'A' as place from range(3) as r(i)")

    rows = shop.rows("product_id, store_id, week_start_on, display_location, record_number", "promotions")
    assert rows == [(str(10 + i), "7", date(2024, 1, 8), "A", i + 1) for i in range(3)]


def test_a_bad_row_of_a_parquet_drop_is_quarantined_as_json(shop, promotions):
    promotions(
        "select * from (values (1, 7, '1', 'A'), (2, 7, 'one', 'A'), (3, null, '1', 'A'))"
        " as v(product, shop, week, place)"
    )

    assert shop.rows("product_id", "promotions") == ["1"]
    assert shop.refused("record_number, reason, detail", "promotions") == [
        (2, "TYPE", "week_start_on: week is not a number"),
        (3, "REQUIRED", "store_id: empty"),
    ]
    assert '"week":"one"' in shop.refused("raw_text", "promotions")[0]


def test_a_parquet_drop_without_a_mapped_column_is_quarantined_whole(shop, promotions):
    promotions("select 1 as product, 7 as shop, 'A' as place from range(2)")

    assert shop.refused("record_number, reason, detail", "promotions") == [
        (1, "HEADER", "week: no such column in the drop"),
        (2, "HEADER", "week: no such column in the drop"),
    ]


def test_a_file_that_is_no_whole_parquet_file_is_refused_as_one_record(shop, promotions):
    promotions("select 1 as product, 7 as shop, '1' as week, 'A' as place")
    whole = (shop.settings.inbox / "shop" / "promotions_2024-01-01.parquet").read_bytes()
    shop.drops("promotions_2024-01-02.parquet", whole[: len(whole) // 2])
    shop.lands("2024-01-02")

    assert shop.refused("reason, detail", "promotions") == [("TRUNCATED", "the Parquet file breaks off")]
    assert shop.rows("product_id", "promotions") == ["1"]


def test_a_part_that_is_found_damaged_while_rows_stream_by_costs_the_file_and_not_the_call(shop):
    import pyarrow as pa
    import pyarrow.parquet as pq

    shop.maps(MAPPING.replace("csv", "parquet"))
    count = 300_000
    columns = {"line": range(count), "who": ["ann"] * count, "bought_at": ["2024-01-01"] * count}
    table = pa.table({name: list(map(str, values)) for name, values in columns.items()} | {"pieces": [1] * count})
    path = shop.drops("sales_2024-01-01.parquet", b"")
    pq.write_table(table.append_column("paid", pa.array(range(count))), path, row_group_size=100_000)
    content = bytearray(path.read_bytes())
    place = pq.read_metadata(path).row_group(2).column(0).data_page_offset
    content[place : place + 400] = bytes(255 - one for one in content[place : place + 400])
    path.write_bytes(content)
    shop.drops("sales_2024-01-02.parquet", b"")
    pq.write_table(
        table.slice(0, 2).append_column("paid", pa.array([1, 2])), path.with_name("sales_2024-01-02.parquet")
    )
    shop.lands("2024-01-02")

    assert {(row.reason, row.records) for row in shop.ledger()} == {("UNREADABLE", count), ("", 2)}
    assert len(shop.rows("order_line_id")) == 2


def test_many_refused_records_of_a_parquet_drop_keep_their_text(shop, promotions):
    promotions("select i as product, 7 as shop, if(i % 2 = 0, '1', 'x') as week, 'A' as place from range(5000) as r(i)")

    texts = shop.refused("raw_text", "promotions")
    assert len(texts) == 2500
    assert all(f'"product":{2 * place + 1}' in text for place, text in enumerate(texts))


def test_a_record_that_the_loader_does_not_take_is_refused_alone(shop):
    from huaxiang.landing.drops import Drop
    from huaxiang.landing.framing import Frames
    from huaxiang.landing.text import Framed, _land_batch

    shop.maps(MAPPING.replace("csv", "jsonl"))
    good = b'{"line":"%d","who":"ann","bought_at":"2024-01-01","pieces":1,"paid":1}'
    frames = Frames(good=[good % number for number in range(9)])
    frames.good[4] = frames.good[7] = b"no object at all"  # framing refuses it; should it ever fail to
    frames.numbers.extend(range(1, 10))
    frames.lines.extend(range(1, 10))
    drop = Drop("shop", shop.mapping(), shop.settings.inbox, "shop/a", date(2024, 1, 1), sha256="0" * 64)
    one = Frames(good=[good % 9], numbers=frames.numbers[:1], lines=frames.lines[:1])
    other = Framed(replace(drop, sha256="1" * 64), 1, 1, (), one)
    contract = load_contracts(shop.settings)["order_lines"]
    outcomes = list(_land_batch(shop.settings.home, contract, [Framed(drop, 9, 9, (), frames), other]))

    assert [(one.records_in, one.accepted, dict(one.refused)) for one in outcomes] == [
        (9, 7, {"UNREADABLE_RECORD": 2}),
        (1, 1, {}),
    ]
    assert shop.refused("record_number, raw_text") == [(5, "no object at all"), (8, "no object at all")]


def test_a_state_that_comes_back_is_in_force_again(shop):
    from huaxiang.landing.versions import known_files

    products = "{file: 'products_{load_date}.csv', format: csv, columns: {product_id: id, category: name}}"
    shop.maps(f"{MAPPING}  products: {products}\n")
    shop.drops(DAY, HEADER + line(1))
    for day, name in ((1, "Milk"), (2, "Mlik"), (3, "Milk")):
        shop.drops(f"products_2024-01-0{day}.csv", f"id,name\n7,{name}\n")
        shop.lands(f"2024-01-0{day}")

    names = dict(shop.rows("file_id, category", "products"))

    def in_force(day: int) -> str:
        of_table = [one for one in known_files(shop.ledger(), date(2024, 1, day)) if one.table_name == "products"]
        return names[max(of_table, key=lambda one: one.file_rank).file_id]

    assert [in_force(day) for day in (1, 2, 3)] == ["Milk", "Mlik", "Milk"]


def test_a_file_that_may_not_be_read_is_left_for_the_next_call(shop, capsys):
    path = shop.drops("sales_2024-01-02.csv", HEADER + line(2))
    shop.drops(DAY, HEADER + line(1))
    path.chmod(0)
    try:
        path.read_bytes()
    except PermissionError:
        pass
    else:
        pytest.skip("this user may read everything")
    shop.lands("2024-01-02")

    assert "sales_2024-01-02.csv is left alone (Permission denied)" in capsys.readouterr().out
    assert shop.rows("order_line_id") == ["1"]


def test_landed_tables_are_those_with_accepted_rows_known_by_then(shop, promotions):
    promotions("select 1 as product, 7 as shop, 'x' as week, 'A' as place")

    assert landed_tables(shop.settings, date(2024, 1, 1)) == {"order_lines"}
    assert landed_tables(shop.settings, date(2023, 12, 31)) == set()


def test_a_day_before_the_first_drop_names_the_first_day(shop):
    shop.drops(DAY, HEADER + line(1))

    with pytest.raises(
        MissingPartition, match="dropped by 2023-12-31: the first drop is of 2024-01-01; use that day or a later one"
    ):
        shop.lands("2023-12-31")

    assert shop.files() == {}


def test_a_home_without_any_drop_says_where_to_put_them(shop):
    (shop.settings.inbox / "shop").mkdir(parents=True)

    with pytest.raises(
        MissingPartition, match="no drop of order_lines, events or identifiers found in the inbox: put drops there"
    ):
        shop.lands()


def test_a_missing_inbox_is_named(shop):
    with pytest.raises(
        MissingPartition, match="inbox/shop: no such folder, so source 'shop' has no drops; put them there"
    ):
        shop.lands()


def test_files_no_mapping_speaks_of_are_left_alone_and_told(shop, capsys):
    shop.drops(DAY, HEADER + line(1))
    shop.drops("sale_2024-01-01.csv", HEADER + line(2))
    shop.drops(".sales_2024-01-01.csv", HEADER)
    shop.lands()

    assert shop.rows("order_line_id") == ["1"]
    assert "1 files match no mapping and are left alone, such as shop/sale_2024-01-01.csv" in capsys.readouterr().out


def test_two_sources_land_side_by_side(shop):
    second = replace(shop.settings, sources=("shop", "stall"))
    (second.sources_dir / "stall.yml").write_text(MAPPING)
    shop.drops(DAY, HEADER + line(1))
    shop.drops(f"../stall/{DAY}", HEADER + line(1))
    replace(shop, settings=second).lands()

    assert sorted(shop.rows("source_name")) == ["shop", "stall"]


def test_the_example_of_the_manual_lands_as_the_manual_says(shop):
    import re

    manual = (shop.settings.project / "docs" / "how-to" / "bring-your-data.md").read_text()
    _, drop, mapping = re.findall(r"^```(?:yaml|csv)\n(.*?)^```$", manual, re.MULTILINE | re.DOTALL)
    home = replace(shop.settings, time_zone="Europe/Berlin", currency="EUR")
    shop = replace(shop, settings=home)
    shop.maps(mapping)
    shop.drops("sales_20240102.csv", drop.encode("cp1252"))
    shop.lands("2024-01-02")

    assert shop.rows("order_line_id, product_id, ordered_at::varchar, quantity, gross_amount, net_amount") == [
        ("1001/1", "Käse, jung", "2024-01-02 17:05:00", Decimal("0.350"), Decimal("4.20"), Decimal("4.20")),
        (
            "1001/2",
            "Öl; kalt gepresst",
            "2024-01-02 17:05:00",
            Decimal("1.000"),
            Decimal("1009.99"),
            Decimal("1008.99"),
        ),
        ("1003/1", "Käse, jung", "2024-01-02 18:00:00", Decimal("-0.350"), Decimal("-4.20"), Decimal("-4.20")),
    ]
    assert shop.refused("line_number, reason, detail") == [
        (4, "TYPE", "quantity: not a number that fits decimal(18,3)")
    ]


def test_a_full_disk_does_not_use_up_a_parquet_drop(shop, promotions, monkeypatch):
    """The disk is full while the drop is read: nothing has landed, and with room again all of it does."""
    import duckdb

    from huaxiang.landing import parquet

    def no_room(*_):
        raise duckdb.IOException("Could not write its temporary file: No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(parquet, "write_accepted", no_room)
        with pytest.raises(duckdb.IOException):
            promotions("select 1 as product, 7 as shop, 1::bigint as week, 'A' as place")
    assert shop.ledger() == []

    shop.lands()
    assert {row.outcome for row in shop.ledger()} == {"accepted"}
