"""Every named bad input costs what it must and no more, landed beside all the others."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from faults.bad_inputs import KINDS, all_bad_inputs, good_rows
from faults.landing_home import LandingHome

pytestmark = pytest.mark.faults

INPUTS = {f"{at:03d} {one.name}": one for at, one in enumerate(all_bad_inputs(), start=1)}
COLUMNS = ("order_line_id", "customer_id", "product_id", "ordered_at", "quantity", "net_amount")


def file_name(name: str) -> str:
    return re.sub(r"[^0-9A-Za-z]+", "_", name)


@pytest.fixture(scope="module")
def fates(tmp_path_factory):
    """All files dropped into one home and landed by one call: a bad one must not touch its neighbours."""
    home = LandingHome(tmp_path_factory.mktemp("bad-inputs"), KINDS)
    for name, one in INPUTS.items():
        # A byte of its own for each keeps equal contents apart: a repeated file would not be landed again.
        home.drop(one.kind, file_name(name), one.build())
    return home.lands()


def test_there_are_at_least_200_bad_inputs_of_different_names():
    assert len({one.name for one in INPUTS.values()}) == len(INPUTS) >= 200


@pytest.mark.parametrize("name", INPUTS)
def test_a_bad_input_costs_what_it_must(name, fates):
    one = INPUTS[name]
    fate = fates[one.kind.name, one.kind.file_name(file_name(name))]
    assert (fate.accepted, fate.refused, fate.unaccounted) == (one.accepted, Counter(one.refused), 0)
    if one.value:
        column, value = one.value
        odd = [row for row in fate.rows.values() if row[0] == "odd"]
        assert [row[COLUMNS.index(column)] for row in odd] == [value]
    if fate.accepted >= len(good_rows()) and one.kind.table == "order_lines":
        assert {row[0] for row in fate.rows.values()} >= {row["line"] for row in good_rows()}
