"""Landed rows against bit rot: what is damaged is noticed before it is read, and made anew from the raw bytes."""

import pytest

from huaxiang.errors import BrokenConservation, HuaxiangError
from huaxiang.landing.files import empty_table
from huaxiang.landing.ledger import landed_path
from huaxiang.landing.mend import check_landed
from huaxiang.landing.quarantine import open_files
from huaxiang.landing.repairs import repair, replay

from .conftest import MAPPING
from .test_landing import DAY, HEADER, line, mapped

LATER = "2024-01-02"


def damage(shop, number: int = 0) -> None:
    """Flip a bit in the middle of a landed file."""
    path = landed_path(shop.settings.home, [row for row in shop.ledger() if row.landed_sha256][number])
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


@pytest.fixture
def landed(shop):
    """Two days that landed in one call, so that their rows went through one statement."""
    shop.drops(DAY, HEADER + line(1) + line(2, pieces="two"))
    shop.drops(DAY.replace("-01.", "-02."), HEADER + line(3))
    shop.lands(LATER)
    return shop


def test_a_flipped_bit_is_noticed_before_the_rows_are_read(landed):
    check_landed(landed.settings.home, landed.ledger())
    damage(landed)

    with pytest.raises(BrokenConservation, match=r"not as it was written.*run 'huaxiang landing' again"):
        check_landed(landed.settings.home, landed.ledger())


@pytest.mark.parametrize("number", [0, 1])
def test_damaged_rows_are_made_anew_from_the_raw_bytes(landed, number):
    before = landed.files()
    damage(landed, number)
    landed.lands(LATER)

    assert landed.files() == before


def test_missing_rows_are_made_anew_too(landed):
    before = landed.files()
    landed_path(landed.settings.home, landed.ledger()[0]).unlink()
    landed.lands(LATER)

    assert landed.files() == before


def test_repaired_rows_are_made_anew_from_the_repair(landed):
    repair(landed.settings, open_files(landed.settings)[0], {2: line(2).strip()})
    landed.lands(LATER)
    before = landed.files()
    damage(landed, number=2)
    landed.lands(LATER)

    assert landed.files() == before


def test_a_file_taken_again_whole_is_made_anew(shop):
    shop.maps(MAPPING.replace("format: csv", "format: parquet"))
    shop.drops(DAY, HEADER + line(1))
    shop.lands()
    shop.maps(MAPPING)
    replay(shop.settings, open_files(shop.settings))
    shop.lands(LATER)
    before = shop.files()
    damage(shop)
    shop.lands(LATER)

    assert shop.files() == before


def test_rows_that_would_come_out_otherwise_are_not_put_in_their_place(landed):
    damage(landed)
    before = landed.files()
    landed.maps(mapped(net_amount="number(paid) * 2"))

    with pytest.raises(BrokenConservation, match="gives other rows today"):
        landed.lands(LATER)
    assert landed.files() == before


def test_damaged_raw_bytes_mend_nothing(landed):
    damage(landed)
    raw = landed.settings.home.raw / landed.ledger()[0].sha256
    raw.write_bytes(raw.read_bytes().replace(b"ann", b"bob"))

    with pytest.raises(HuaxiangError, match="not the bytes that came"):
        landed.lands(LATER)


def test_a_torn_empty_table_is_written_anew(landed):
    before = landed.files()
    path = empty_table(landed.settings.home, "order_lines")
    path.write_bytes(path.read_bytes()[:100])
    landed.lands(LATER)

    assert landed.files() == before
