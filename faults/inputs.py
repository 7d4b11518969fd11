"""F05 to F27: every named bad input, all landed by one call, costs what it must and no more."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from faults.bad_inputs import KINDS, BadInput, all_bad_inputs, good_rows
from faults.landing_home import Fate, LandingHome
from faults.quiet import quiet
from faults.trial import Folder, Trial

COLUMNS = ("order_line_id", "customer_id", "product_id", "ordered_at", "quantity", "net_amount")


def bad_inputs(options: Folder) -> Iterator[Trial]:
    """A trial per named input."""
    for one, fate in landed_together(options.folder):
        wrong = differences(one, fate)
        yield Trial("F05-F27 bad input", "; ".join([one.name, *wrong]), not wrong, fate.unaccounted)


def landed_together(folder: Path) -> list[tuple[BadInput, Fate]]:
    """Each input and its fate, all landed by one call in one home: a bad one must not touch its neighbours."""
    home, inputs = LandingHome(folder, KINDS), all_bad_inputs()
    names = [re.sub(r"[^0-9A-Za-z]+", "_", f"{at:03d} {one.name}") for at, one in enumerate(inputs, start=1)]
    for name, one in zip(names, inputs, strict=True):
        home.drop(one.kind, name, one.build())
    with quiet():
        fates = home.lands()
    return [(one, fates[one.kind.name, one.kind.file_name(name)]) for name, one in zip(names, inputs, strict=True)]


def differences(one: BadInput, fate: Fate) -> list[str]:
    """In which way the fate is not what the input must cost."""
    wrong = []
    if (fate.accepted, fate.refused) != (one.accepted, Counter(one.refused)):
        wrong.append(f"{fate.accepted} accepted, refused {dict(fate.refused)}, not {one.accepted} and {one.refused}")
    if one.value:
        column, value = one.value
        odd = [row[COLUMNS.index(column)] for row in fate.rows.values() if row[0] == "odd"]
        if odd != [value]:
            wrong.append(f"{column} is {odd}, not {value!r}")
    if fate.accepted >= len(good_rows()) and one.kind.table == "order_lines":
        gone = {row["line"] for row in good_rows()} - {row[0] for row in fate.rows.values()}
        if gone:
            wrong.append(f"good records are gone: {sorted(gone)}")
    return wrong
