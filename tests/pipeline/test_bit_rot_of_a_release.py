"""F06: one bit of one file of a real release flips, 200 times; whoever reads the release through the store is told."""

from __future__ import annotations

import random

import pytest

from faults.bit_rot import caught, flip_one_bit
from huaxiang import release
from huaxiang.errors import BrokenConservation
from huaxiang.release import show
from huaxiang.settings import load_settings
from tests.pipeline.conftest import run_words
from tests.pipeline.released_shop import MONDAY, SUNDAY

pytestmark = [pytest.mark.dbt, pytest.mark.faults, pytest.mark.slow]

SEEDS = 200


def is_seen() -> bool:
    try:
        release.verify(release.current(load_settings()))
    except BrokenConservation as error:
        return "restore it from a copy" in str(error)
    return False


def test_200_of_200_flipped_bits_of_a_release_are_caught(shop):
    now = release.current(load_settings())
    files = [path for path in now.path.rglob("*") if path.is_file()]
    assert len(files) > 15 and not is_seen()

    assert caught(files, is_seen, SEEDS) == SEEDS
    assert not is_seen()


def test_200_of_200_flipped_bits_of_a_manifest_are_caught(shop):
    manifest = release.current(load_settings()).path / "MANIFEST.json"
    assert caught([manifest], is_seen, SEEDS) == SEEDS


def test_a_damaged_manifest_stops_nobody_and_is_sealed_anew_when_its_day_is_run_again(shop):
    settings, folder = load_settings(), release.current(load_settings()).path
    flip_one_bit(folder / "MANIFEST.json", random.Random(1))

    assert run_words(MONDAY) == 0
    assert str(release.current(settings).as_of) == MONDAY and not is_seen()
    assert f"move {folder} away and publish the day again" in show.listing(settings)

    assert run_words(SUNDAY) == 0
    release.verify(release.find(settings, folder.name))
    assert "move" not in show.listing(settings)
