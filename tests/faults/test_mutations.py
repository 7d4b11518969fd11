"""Whatever is done to the bytes of good files, no record is lost, and their neighbours come out as ever."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from faults.landing_home import Kind
from faults.mutations import GOOD, mutated, run_batch

pytestmark = pytest.mark.faults

FILES_A_BATCH = 50
BATCHES = 4
# Shrinking would land hundreds of homes; the files of a failing batch are few enough to look at.
FILE = st.tuples(st.sampled_from(list(GOOD)), st.randoms(use_true_random=False, note_method_calls=False))


@settings(
    max_examples=BATCHES,
    phases=[Phase.generate],
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
    database=None,
)
@given(st.lists(FILE, min_size=FILES_A_BATCH, max_size=FILES_A_BATCH))
def test_every_record_of_200_mutated_files_is_accounted_for(drawn):
    files: dict[Kind, list[bytes]] = {kind: [] for kind in GOOD}
    for kind, choose in drawn:
        files[kind].append(mutated(GOOD[kind], choose))
    with tempfile.TemporaryDirectory(prefix="huaxiang-mutations-") as folder:
        found = run_batch(Path(folder), files)
    assert (found.unaccounted, found.differences) == (0, ())
