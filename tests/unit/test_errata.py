"""What a late drop changes in a release that was sealed before it came."""

import json
import shutil
from dataclasses import replace
from datetime import date

import pytest

from huaxiang.errors import BrokenConservation
from huaxiang.landing import land
from huaxiang.landing.ledger import input_hashes
from huaxiang.release import publication, releases, show
from huaxiang.release.manifest import inputs_hash
from huaxiang.settings import Run
from huaxiang.timetravel import errata
from huaxiang.timetravel.knowledge import last_call
from tests.unit.test_release import build

DAY = date(2024, 1, 3)
HEADER = "line,who,bought_at,pieces,paid\n"


def seal(shop, name="2024-01-03-aaaa", call=1, as_of=DAY, fence=1, **inputs):
    """A release of which only the manifest is of interest."""
    folder = shop.settings.home.release(name)
    folder.mkdir(parents=True)
    manifest = {
        "as_of": str(as_of),
        "known_at": str(as_of),
        "fence": fence,
        "inputs": inputs or {"ledger_call": call},
        "tables": {"customer_profiles": {"rows": 1}},
    }
    (folder / "MANIFEST.json").write_text(json.dumps(manifest))


@pytest.fixture
def sold(shop):
    """Two lines of two customers, landed and released; 2 January was not dropped yet."""
    shop.drops("sales_2024-01-01.csv", HEADER + "1,anna,2024-01-01 10:00,1,10.00\n2,ben,2024-01-01 11:00,1,5.00\n")
    land(shop.settings, Run(DAY, DAY))
    seal(shop)
    return shop


def late(shop, name, text):
    shop.drops(name, HEADER + text)
    land(shop.settings, Run(date(2024, 1, 9), date(2024, 1, 9)))
    errata.record(shop.settings)
    return errata.read(shop.settings, "2024-01-03-aaaa")


def test_a_late_row_is_told_with_its_days_customers_and_money(sold):
    [told] = late(sold, "sales_2024-01-02.csv", "3,ben,2024-01-02 10:00,1,2.50\n4,cleo,2024-01-02 11:00,1,1.00\n")
    assert (told.ledger_call, told.files, told.load_days) == (2, ("shop/sales_2024-01-02.csv",), ("2024-01-02",))
    assert (told.days, told.rows, told.customers, told.net_amount) == (("2024-01-02",), 2, 2, "3.50")
    assert told.next_step == "run 'huaxiang run --as-of 2024-01-03' to publish the day as it is known now"


def test_a_late_correction_tells_the_difference_in_money(sold):
    [told] = late(sold, "sales_2024-01-02.csv", "2,ben,2024-01-01 11:00,1,4.00\n")
    assert (told.days, told.rows, told.customers, told.net_amount) == (("2024-01-01",), 1, 1, "-1.00")


def test_a_drop_sent_again_with_other_content_is_told(sold):
    [told] = late(sold, "sales_2024-01-01.csv", "1,anna,2024-01-01 10:00,1,10.00\n")
    assert (told.rows, told.customers, told.net_amount) == (1, 1, "-5.00")


def test_the_same_row_again_is_no_change(sold):
    assert late(sold, "sales_2024-01-02.csv", "2,ben,2024-01-01 11:00,1,5.00\n") == []
    assert not sold.settings.home.errata.exists()


def test_a_day_after_the_release_and_a_later_load_day_are_not_its_concern(sold):
    assert late(sold, "sales_2024-01-02.csv", "5,ben,2024-01-04 11:00,1,5.00\n") == []
    assert late(sold, "sales_2024-01-04.csv", "6,ben,2024-01-02 11:00,1,5.00\n") == []


def test_a_row_that_an_earlier_file_could_not_have_won_is_no_change(sold):
    """The late file is of an earlier load day than the one that holds the key: it does not win."""
    assert late(sold, "sales_2023-12-31.csv", "2,ben,2024-01-01 11:00,1,99.00\n") == []


def test_errata_are_added_and_never_written_twice(sold):
    first = late(sold, "sales_2024-01-02.csv", "3,ben,2024-01-02 10:00,1,2.50\n")
    assert errata.record(sold.settings) == 0
    both = late(sold, "sales_2024-01-03.csv", "7,anna,2024-01-03 10:00,1,1.00\n")
    assert both[:1] == first
    assert [one.ledger_call for one in both] == [2, 3]


def test_a_list_of_releases_marks_the_erratum_and_what_corrects_it(sold):
    late(sold, "sales_2024-01-02.csv", "3,ben,2024-01-02 10:00,1,2.50\n")
    assert show.listing(sold.settings).endswith("1 customers  ! 1 erratum")
    seal(sold, "2024-01-03-bbbb", call=2, fence=2)
    first, second = reversed(show.listing(sold.settings).splitlines())
    assert first.endswith("! 1 erratum, corrected by 2024-01-03-bbbb")
    assert second.endswith("1 customers")
    assert errata.record(sold.settings) == 0


@pytest.fixture
def publishes(shop, monkeypatch):
    """Publish DAY as the steps before would have built it: that alone decides whether the release is another one."""
    monkeypatch.setattr(publication, "_track", lambda *_: "run-1")
    return lambda spend: publication.publish(shop.settings, build(shop.settings, DAY, spend))


def late_at(shop, number, paid):
    shop.drops(f"sales_2024-01-0{number}.csv", HEADER + f"{number},ben,2024-01-02 10:00,1,{paid}\n")
    land(shop.settings, Run(DAY, DAY))
    return errata.record(shop.settings)


def test_an_erratum_is_closed_when_the_day_published_again_gives_the_same_release(shop, publishes):
    late_at(shop, 1, "2.00")
    first = publishes("10.50")
    assert late_at(shop, 2, "2.50") == 1
    assert show.listing(shop.settings).endswith("! 1 erratum")
    assert publishes("10.50") == first
    assert show.listing(shop.settings).endswith("1 customers")
    assert errata.record(shop.settings) == 0
    assert errata.derive(shop.settings, first, shop.ledger()) == []
    assert late_at(shop, 3, "3.50") == 1
    assert [one.erratum.ledger_call for one in errata.with_corrections(shop.settings)] == [3]


def test_a_release_that_is_right_again_corrects_the_one_that_corrected_it(shop, publishes):
    late_at(shop, 1, "2.00")
    first = publishes("10.50")
    late_at(shop, 2, "2.50")
    second = publishes("13.00")
    assert late_at(shop, 3, "3.50") == 2
    assert publishes("10.50") == first
    told = [(one.release.id, one.corrected_by) for one in errata.with_corrections(shop.settings)]
    assert told == [(second.id, first.id)]


def test_a_damaged_note_confirms_nothing_and_is_written_anew(shop, publishes):
    late_at(shop, 1, "2.00")
    first = publishes("10.50")
    late_at(shop, 2, "2.50")
    publishes("10.50")
    (shop.settings.home.errata / f"{first.id}.confirmed.json").write_text("{")
    assert show.listing(shop.settings).endswith("! 1 erratum")
    publishes("10.50")
    assert show.listing(shop.settings).endswith("1 customers")


def test_a_release_without_a_ledger_call_is_placed_by_its_inputs(sold):
    known = inputs_hash(input_hashes(sold.settings, DAY))
    seal(sold, "2024-01-03-cccc", files=1, sha256=known)
    seal(sold, "2024-01-03-dddd", files=1, sha256="of a lost ledger")
    late(sold, "sales_2024-01-02.csv", "3,ben,2024-01-02 10:00,1,2.50\n")
    calls = {one.id: last_call(one, sold.ledger()) for one in releases(sold.settings)}
    assert calls == {"2024-01-03-aaaa": 1, "2024-01-03-cccc": 1, "2024-01-03-dddd": None}
    assert len(errata.read(sold.settings, "2024-01-03-cccc")) == 1
    assert errata.read(sold.settings, "2024-01-03-dddd") == []


def test_a_damaged_errata_file_says_what_to_do(sold):
    late(sold, "sales_2024-01-02.csv", "3,ben,2024-01-02 10:00,1,2.50\n")
    path = sold.settings.home.errata / "2024-01-03-aaaa.json"
    path.write_text("{")
    with pytest.raises(BrokenConservation, match="remove it"):
        errata.record(sold.settings)
    path.unlink()
    assert errata.record(sold.settings) == 1


def test_files_that_landed_before_a_contract_gained_a_column_are_compared_too(sold, tmp_path):
    contracts = tmp_path / "project" / "contracts"
    shutil.copytree(sold.settings.project / "contracts", contracts)
    path = contracts / "order_lines.yml"
    more = (
        "      - name: till_id\n        description: The till.\n        logicalType: string\n"
        "        physicalType: varchar\n        classification: personal\n      - name: store_id\n"
    )
    path.write_text(path.read_text().replace("      - name: store_id\n", more))
    shop = replace(sold, settings=replace(sold.settings, project=contracts.parent))
    shop.drops("sales_2024-01-01.csv", HEADER + "1,anna,2024-01-01 10:00,1,10.00\n2,ben,2024-01-01 11:00,1,6.00\n")
    land(shop.settings, Run(DAY, DAY))

    assert errata.record(shop.settings) == 1
    (found,) = errata.read(shop.settings, "2024-01-03-aaaa")
    assert (found.rows, found.net_amount) == (1, "1.00")
