"""Every named bad input costs what it must and no more, landed beside all the others."""

from __future__ import annotations

import pytest

from faults.bad_inputs import all_bad_inputs
from faults.inputs import differences, landed_together

pytestmark = pytest.mark.faults

INPUTS = {f"{at:03d} {one.name}": at - 1 for at, one in enumerate(all_bad_inputs(), start=1)}


@pytest.fixture(scope="module")
def landed(tmp_path_factory):
    return landed_together(tmp_path_factory.mktemp("bad-inputs"))


def test_there_are_at_least_200_bad_inputs_of_different_names():
    assert len({one.name for one in all_bad_inputs()}) == len(INPUTS) >= 200


@pytest.mark.parametrize("name", INPUTS)
def test_a_bad_input_costs_what_it_must(name, landed):
    one, fate = landed[INPUTS[name]]
    assert (differences(one, fate), fate.unaccounted) == ([], 0)
