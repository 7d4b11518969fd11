"""Whether rules come back: `python -m benchmarks.replication`, on all orders of The Complete Journey.

Rules are mined in the first half of the year and once more, on their own, in the second. Jaccard is the share of rules
found in both halves among those found in either; the correlation is that of the lifts of the rules found in both. A
rule that is not found again may still hold there: it can have missed a limit of support, confidence or lift by little.
Odd and even weeks, which share their seasons, say how much of the rest is season. `benchmarks.replication_limits`
tries other limits.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path

import numpy as np

from benchmarks.recommenders import write_purchases
from spark_jobs import engine
from spark_jobs.associations import chance, counting, mining, rules
from spark_jobs.associations.params import AssociationParams
from spark_jobs.associations.rules import Rule

HALVES = ((date(2017, 1, 1), date(2017, 6, 30)), (date(2017, 7, 1), date(2017, 12, 31)))
YEAR = (date(2017, 1, 1), date(2017, 12, 31))


def main() -> None:
    """Print how many rules each half has, how far they agree, and whether those not found again hold all the same."""
    params = AssociationParams()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "purchases.parquet"
        write_purchases(path)
        mined = [mining.mine(None, path, *days, engine.LAPTOP, params) for days in HALVES]
        weeks = [mining.mine(None, of, *YEAR, engine.LAPTOP, params) for of in _odd_and_even_weeks(path)]
        lifts = [_lifts(found) for found in mined]
        lost = sorted(lifts[0].keys() - lifts[1].keys())
        counts = counting.count(path, *HALVES[1], rules.itemsets_of(lost))
    later = rules.counted(lost, counts.of)
    hold = sum(one.lift > 1 and p < params.largest_p_value for one, p in _tested(later, mined[0].tests))
    for (first, last), found in zip(HALVES, mined, strict=True):
        print(f"{first} to {last}: {found.orders:,} orders, {len(found.rules)} rules of {found.tests:,} tested")
    jaccard, correlation = agreement(*lifts)
    again = 1 - len(lost) / len(lifts[0])
    print(f"found again {again:.1%}, Jaccard {jaccard:.3f}, correlation of lift {correlation:.4f}")
    print(f"of the {len(lost)} not found again {hold} are surely above chance in the second half")
    jaccard, correlation = agreement(*map(_lifts, weeks))
    print(f"odd and even weeks: Jaccard {jaccard:.3f}, correlation of lift {correlation:.4f}")


def _odd_and_even_weeks(path: Path) -> list[Path]:
    import duckdb

    found = []
    for rest in (0, 1):
        found.append(path.with_name(f"weeks_{rest}.parquet"))
        is_in = f"(ordered_on - date '{YEAR[0]}') // 7 % 2 = {rest}"
        duckdb.execute(f"copy (from '{path}' where {is_in}) to '{found[-1]}'")
    return found


def _lifts(mined: mining.Mined) -> dict[Rule, float]:
    return {one.rule: one.lift for one in mined.rules}


def _tested(later: Sequence[rules.Counted], tests: int) -> Iterable[tuple[rules.Counted, float]]:
    return zip(later, chance.p_values(later, tests), strict=True)


def agreement(first: Mapping[Rule, float], second: Mapping[Rule, float]) -> tuple[float, float]:
    """Jaccard overlap of two sets of rules, and the correlation of the lifts of those in both."""
    both = sorted(first.keys() & second.keys())
    lifts = np.array([(first[rule], second[rule]) for rule in both])
    return len(both) / len(first.keys() | second.keys()), float(np.corrcoef(lifts.T)[0, 1])


if __name__ == "__main__":
    main()
