"""One flipped bit, 200 times, in the raw bytes that a repair reads; in a release: tests/pipeline."""

from __future__ import annotations

import random

import pytest

from faults.bad_inputs import CSV, csv_text, good_rows
from faults.bit_rot import caught, flip_one_bit
from faults.landing_home import LandingHome
from huaxiang.errors import HuaxiangError
from huaxiang.landing import quarantine, repairs
from huaxiang.landing.files import kept_raw

pytestmark = pytest.mark.faults

SEEDS = 200


def test_200_of_200_flipped_bits_of_raw_bytes_are_caught_before_a_repair_reads_them(tmp_path):
    home = LandingHome(tmp_path, [CSV])
    home.drop(CSV, "one", csv_text(good_rows()).encode() + b"L51,c1,2024-01-01 10:00:00,1,two,p\n")
    home.lands()
    (file,) = quarantine.open_files(home.settings)
    (raw,) = (one for one in home.settings.home.raw.iterdir() if one.is_file())

    def is_seen() -> bool:
        try:
            kept_raw(home.settings.home, raw.name)
        except HuaxiangError as error:
            return "SHA-256" in str(error)
        return False

    assert not is_seen()
    assert caught([raw], is_seen, SEEDS) == SEEDS
    flip_one_bit(raw, random.Random(1))
    assert "SHA-256" in repairs.replay(home.settings, [file]).problems[0]
