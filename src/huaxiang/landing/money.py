"""The money of landed order lines, as the written files hold it: what is counted is what can be read again."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from huaxiang.errors import BrokenConservation
from huaxiang.expressions import literal
from huaxiang.landing.files import accepted_path, quarantine_path
from huaxiang.landing.outcome import Outcome
from huaxiang.tables import Home


def with_money(home: Home, outcomes: list[Outcome]) -> list[Outcome]:
    """The outcomes with the money of their order lines, read back from disk: accepted, and refused by reason.

    Raises BrokenConservation when other rows can be read than were written.
    """
    holding = [one for one in outcomes if one.net_in is not None]
    accepted = _sums({str(accepted_path(home, one.drop)): one for one in holding if one.accepted})
    refused = _sums({str(quarantine_path(home, one.drop)): one for one in holding if one.quarantined}, "reason")
    filled = []
    for outcome in outcomes:
        if outcome.net_in is None:
            filled.append(outcome)
            continue
        count, total = accepted.get(str(accepted_path(home, outcome.drop)), {}).get("", (0, None))
        if count != outcome.accepted:
            raise BrokenConservation(
                f"{outcome.drop.file_name}: {outcome.accepted:,} rows written, {count:,} can be read; run again"
            )
        by_reason = refused.get(str(quarantine_path(home, outcome.drop)), {})
        net_refused = {reason: money for reason, (_, money) in by_reason.items() if money is not None}
        filled.append(replace(outcome, net_amount=total, net_refused=net_refused))
    return filled


def _sums(files: dict[str, Outcome], group: str = "''") -> dict[str, dict[str, tuple[int, Decimal | None]]]:
    """Per file and group its rows and their money, None where none of it can be read."""
    import duckdb

    if not files:
        return {}
    paths = ", ".join(literal(path) for path in files)
    with duckdb.connect() as connection:
        found = connection.execute(
            f"select filename, {group} as part, count(*), sum(net_amount)"
            f" from read_parquet([{paths}], filename = true, hive_partitioning = false) group by all"
        ).fetchall()
    sums: dict[str, dict[str, tuple[int, Decimal | None]]] = {}
    for name, part, count, total in found:
        sums.setdefault(name, {})[part] = (count, total)
    return sums
