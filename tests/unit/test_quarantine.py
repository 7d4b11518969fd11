"""The quarantine: refused records can be seen, repaired and replayed, and the ledger shows it."""

import gzip
import json
from decimal import Decimal

import pytest

from huaxiang.errors import HuaxiangError, MissingPartition
from huaxiang.landing import conservation
from huaxiang.landing.ledger import read_ledger
from huaxiang.landing.quarantine import find_file, open_files, records_of
from huaxiang.landing.quarantine_text import as_json_lines, details, listing, read_repairs
from huaxiang.landing.repairs import pending, repair, replay

from .conftest import MAPPING
from .test_landing import DAY, HEADER, line, mapped

LATER = "2024-01-02"


def sums(shop) -> dict[str, int]:
    """Records by outcome, over all calls."""
    found: dict[str, int] = {}
    for row in shop.ledger():
        found[row.outcome] = found.get(row.outcome, 0) + row.records
    return found


@pytest.fixture
def refused(shop):
    """Three records: the second has no whole number of pieces, the third an instant nobody can read."""
    shop.drops(DAY, HEADER + line(1) + line(2, pieces="two") + line(3, at="noon"))
    shop.lands()
    return shop


def test_what_is_refused_can_be_listed_and_shown(refused):
    (file,) = open_files(refused.settings)

    assert file.records == {"TYPE": 2}
    assert f"{file.row.file_id}  2024-01-01  order_lines" in listing([file])
    assert [one.record_number for one in records_of(refused.settings, file)] == [2, 3]
    shown = details(file, records_of(refused.settings, file))
    assert "record 2, line 3: TYPE, quantity" in shown
    assert "2,ann,2024-01-01 10:00:00,two,2.50" in shown


def test_control_characters_do_not_reach_the_terminal(shop):
    shop.drops(DAY, HEADER + line(1, who="a\x1b[2Jb", pieces="two"))
    shop.lands()
    (file,) = open_files(shop.settings)

    assert "\x1b" not in details(file, records_of(shop.settings, file))


def test_a_repaired_record_enters_with_the_next_call_as_if_it_had_been_right(refused):
    repair(refused.settings, find_file(refused.settings, DAY.join(["shop/", ""])), {2: line(2).strip()})
    assert [row[0] for row in refused.rows("order_line_id, 1")] == ["1"]  # not before the next call

    refused.lands(LATER)

    file_id = refused.ledger()[0].file_id
    assert refused.rows("order_line_id, quantity, file_id, record_number, load_date::varchar") == [
        ("1", Decimal("1.000"), file_id, 1, "2024-01-01"),
        ("2", Decimal("1.000"), file_id, 2, "2024-01-01"),
    ]
    assert sums(refused) == {"accepted": 2, "quarantined": 1}
    (table,) = conservation(refused.settings, refused.ledger()[0].load_date)
    assert (table.records_in, table.accepted, table.quarantined, table.repaired) == (3, 2, 1, 1)
    assert (table.net_amount, table.net_refused) == (Decimal("5.00"), Decimal("2.50"))
    assert [one.record_number for one in records_of(refused.settings, open_files(refused.settings)[0])] == [3]


def test_a_repair_is_taken_once(refused):
    file = open_files(refused.settings)[0]
    repair(refused.settings, file, {2: line(2).strip()})
    refused.lands(LATER)
    before = refused.files()
    refused.lands(LATER)

    assert refused.files() == before
    assert pending(refused.settings, read_ledger(refused.settings)) == []


def test_a_repair_that_would_be_refused_again_is_not_kept(refused):
    file = open_files(refused.settings)[0]
    with pytest.raises(HuaxiangError, match=r"record 3 would be refused again \(TYPE: ordered_at"):
        repair(refused.settings, file, {2: line(2).strip(), 3: line(3, at="later").strip()})
    with pytest.raises(HuaxiangError, match=r"record 3 would be refused again \(FIELDS"):
        repair(refused.settings, file, {3: "3,ann"})

    assert pending(refused.settings, refused.ledger()) == []


def test_only_what_is_refused_can_be_repaired(refused):
    with pytest.raises(MissingPartition, match="record 1 is not refused"):
        repair(refused.settings, open_files(refused.settings)[0], {1: line(1)})
    with pytest.raises(MissingPartition, match="'huaxiang quarantine list' shows"):
        find_file(refused.settings, "feed")


def test_a_corrected_mapping_and_a_replay_take_what_was_refused(refused):
    refused.maps(mapped(ordered_at="case when bought_at = 'noon' then '2024-01-01 12:00:00' else bought_at end"))
    made = replay(refused.settings, open_files(refused.settings))
    refused.lands(LATER)

    assert (made.entering, made.still_refused) == (1, 1)
    assert refused.rows("ordered_at::varchar || record_number") == ["2024-01-01 10:00:001", "2024-01-01 12:00:003"]
    assert sums(refused) == {"accepted": 2, "quarantined": 1}


def test_a_file_refused_for_its_header_is_replayed_whole(shop):
    content = "line,customer,bought_at,pieces,paid\n" + line(1) + line(2)
    shop.drops(DAY, content)
    shop.lands()
    assert sums(shop) == {"quarantined": 2}

    shop.maps(MAPPING.replace("customer_id: who", "customer_id: customer"))
    replay(shop.settings, open_files(shop.settings))
    shop.lands(LATER)

    assert shop.rows("order_line_id || customer_id") == ["1ann", "2ann"]
    assert sums(shop) == {"quarantined": 0, "accepted": 2}
    assert open_files(shop.settings) == []


def test_a_mapping_that_finds_other_records_is_refused_by_name(refused):
    refused.maps("delimiter: ';'\n" + MAPPING)
    made = replay(refused.settings, open_files(refused.settings))

    assert (made.entering, made.still_refused) == (0, 2)
    assert "its mapping does not fit the drop" in made.problems[0]


def test_many_records_are_repaired_from_a_file(refused, tmp_path):
    file = open_files(refused.settings)[0]
    path = tmp_path / "fix.jsonl"
    path.write_text(
        as_json_lines(records_of(refused.settings, file)).replace(",two,", ",2,").replace("noon", "2024-01-01 12:00:00")
    )
    repair(refused.settings, file, read_repairs(path))
    refused.lands(LATER)

    assert refused.rows("order_line_id || quantity::int") == ["11", "22", "31"]


def test_a_file_of_repairs_that_cannot_be_read_names_its_line(tmp_path):
    path = tmp_path / "fix.jsonl"
    path.write_text(json.dumps({"record_number": 1, "raw_text": "x"}) + "\n{}\n")
    with pytest.raises(HuaxiangError, match=r"fix.jsonl: line 2 is not an object"):
        read_repairs(path)


def test_json_lines_are_repaired_too(shop):
    shop.maps(MAPPING.replace("csv", "jsonl"))
    good = {"line": "1", "who": "ann", "bought_at": "2024-01-01 10:00:00", "pieces": 1, "paid": 2.5}
    shop.drops("sales_2024-01-01.jsonl", json.dumps(good) + "\n" + '{"line": "2", \n')
    shop.lands()
    repair(shop.settings, open_files(shop.settings)[0], {2: json.dumps(good | {"line": "2"})})
    shop.lands(LATER)

    assert shop.rows("order_line_id") == ["1", "2"]


def test_a_file_that_could_not_be_read_is_taken_again_whole_under_the_right_mapping(shop):
    shop.drops(DAY, gzip.compress((HEADER + line(1) + line(2, pieces="two") + line(3)).encode()))
    shop.lands()
    (file,) = open_files(shop.settings)
    assert file.records == {"ARCHIVE": 1}
    assert "the file: ARCHIVE" in details(file, records_of(shop.settings, file))
    assert replay(shop.settings, [file]).still_refused == 1
    with pytest.raises(HuaxiangError, match="its records are not known; have the source send it again"):
        repair(shop.settings, file, {0: line(1)})

    shop.maps(MAPPING.replace("{load_date}.csv", "{load_date}.csv.gz"))
    made = replay(shop.settings, [file])
    assert (made.entering, made.still_refused, made.problems) == (2, 1, ())
    replay(shop.settings, [file])  # once more before it is taken
    shop.lands(LATER)

    assert shop.rows("order_line_id || record_number") == ["11", "33"]
    (table,) = conservation(shop.settings, shop.ledger()[0].load_date)
    assert (table.records_in, table.accepted, table.quarantined, table.repaired) == (3, 2, 1, 2)
    assert (table.net_amount, table.net_refused) == (Decimal("5.00"), Decimal("2.50"))
    (file,) = open_files(shop.settings)
    assert file.records == {"TYPE": 1}

    repair(shop.settings, file, {2: line(2).strip()})
    shop.lands(LATER)

    assert shop.rows("order_line_id") == ["1", "2", "3"]
    assert open_files(shop.settings) == []
    assert sum(sums(shop).values()) == 3


def test_a_file_that_was_taken_for_cut_is_replayed_when_its_mapping_asks_less(shop):
    shop.maps(mapped(final_newline="required"))
    shop.drops(DAY, (HEADER + line(1) + line(2)).strip())
    shop.lands()
    assert open_files(shop.settings)[0].records == {"TRUNCATED": 2}
    assert replay(shop.settings, open_files(shop.settings)).still_refused == 2

    shop.maps(MAPPING)
    replay(shop.settings, open_files(shop.settings))
    shop.lands(LATER)

    assert shop.rows("order_line_id") == ["1", "2"]
    assert open_files(shop.settings) == []


def test_a_whole_replay_whose_mapping_has_changed_once_more_changes_nothing(shop):
    shop.drops(DAY, gzip.compress((HEADER + line(1)).encode()))
    shop.lands()
    shop.maps(MAPPING.replace("{load_date}.csv", "{load_date}.csv.gz"))
    replay(shop.settings, open_files(shop.settings))
    shop.maps(MAPPING)
    shop.lands(LATER)

    assert shop.rows() == []
    assert open_files(shop.settings)[0].records == {"ARCHIVE": 1}
    assert pending(shop.settings, shop.ledger()) == []


def test_of_two_repairs_of_a_record_the_last_holds(refused):
    file = open_files(refused.settings)[0]
    repair(refused.settings, file, {2: line(2, paid="9999.00").strip(), 3: line(3).strip()})
    repair(refused.settings, file, {2: line(2, paid="9.99").strip()})
    refused.lands(LATER)

    assert refused.rows("order_line_id || ' ' || net_amount") == ["1 2.50", "2 9.99", "3 2.50"]
    assert pending(refused.settings, refused.ledger()) == []


def test_a_repair_that_fits_no_more_holds_up_nothing_and_waits(refused, capsys):
    file = open_files(refused.settings)[0]
    repair(refused.settings, file, {2: line(2).strip()})
    refused.maps(MAPPING.replace("customer_id: who", "customer_id: customer"))
    refused.drops(DAY.replace("-01.", "-02."), "line,customer,bought_at,pieces,paid\n" + line(4))
    refused.lands(LATER)

    assert "repair 1 of shop/sales_2024-01-01.csv waits: " in capsys.readouterr().out
    assert sorted(refused.rows("order_line_id")) == ["1", "4"]
    assert len(pending(refused.settings, refused.ledger())) == 1

    refused.maps(MAPPING)
    refused.lands(LATER)

    assert sorted(refused.rows("order_line_id")) == ["1", "2", "4"]


def test_what_a_repair_says_is_readable_by_its_owner_only(refused):
    repair(refused.settings, open_files(refused.settings)[0], {2: line(2).strip()})

    (path,) = refused.settings.home.repairs.iterdir()
    assert path.stat().st_mode & 0o777 == 0o600


def test_repairs_may_hold_line_separators_that_are_no_line_ends(tmp_path):
    path = tmp_path / "fix.jsonl"
    path.write_text(json.dumps({"record_number": 2, "raw_text": "a\u2028b\u0085c"}, ensure_ascii=False) + "\n")

    assert read_repairs(path) == {2: "a\u2028b\u0085c"}


def test_absurd_amounts_of_refused_records_can_still_be_summed(shop):
    lines = [line(number, pieces="x", paid="9999999999999.99") for number in range(2000)]
    shop.drops(DAY, HEADER + line(2001) + "".join(lines))
    shop.lands()

    (table,) = conservation(shop.settings, shop.ledger()[0].load_date)
    assert table.net_refused == 2000 * Decimal("9999999999999.99")
