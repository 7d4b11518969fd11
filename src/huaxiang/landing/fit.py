"""Tell a wrong mapping from a wrong file: a file is refused and the day goes on, a mapping is corrected first.

Landed drops are not read again. So a mapping that fits no drop at all must not use them up: nothing lands, and the
message names the mapping's file.
"""

from __future__ import annotations

from collections import Counter
from itertools import groupby

from huaxiang.errors import BadConfiguration
from huaxiang.landing.drops import Drop
from huaxiang.landing.files import kept_raw
from huaxiang.landing.ledger import ACCEPTED, LedgerRow
from huaxiang.landing.outcome import Outcome
from huaxiang.landing.text import header_problem
from huaxiang.settings import Settings

# Fewer refused records than this may well be the file's fault.
_ENOUGH_RECORDS = 10


def check_mappings_fit(settings: Settings, outcomes: list[Outcome], ledger: list[LedgerRow]) -> None:
    """Refuse a call in which a mapping accepts none of its table's records, unless it is the drops that have changed.

    They have changed when the mapping still fits a drop that was accepted before. Raises BadConfiguration.
    """
    for (source, table), group in groupby(outcomes, key=lambda one: (one.drop.source, one.drop.table)):
        # A damaged file says nothing about the mapping.
        same = [one for one in group if not set(one.refused) & {"TRUNCATED", "ARCHIVE", "UNREADABLE"}]
        if any(one.accepted for one in same) or sum(one.records_in for one in same) < _ENOUGH_RECORDS:
            continue
        accepted = [
            row for row in ledger if (row.source_name, row.table_name, row.outcome) == (source, table, ACCEPTED)
        ]
        witness = max((row for row in accepted if row.records), key=lambda row: row.call_number, default=None)
        if witness is None or _no_longer_fits(settings, same[0].drop, witness):
            raise BadConfiguration(_sentence(settings, same))


def _no_longer_fits(settings: Settings, drop: Drop, witness: LedgerRow) -> bool:
    if drop.mapping.format == "parquet" or not (settings.home.raw / witness.sha256).exists():
        return False
    return bool(header_problem(drop.mapping, kept_raw(settings.home, witness.sha256).read_bytes()))


def _sentence(settings: Settings, outcomes: list[Outcome]) -> str:
    drop = outcomes[0].drop
    reasons = sum((Counter(one.refused) for one in outcomes), Counter())
    told = ", ".join(f"{reason} {count:,}" for reason, count in reasons.most_common(3))
    detail = header_problem(drop.mapping, drop.path.read_bytes()) if drop.mapping.format != "parquet" else ""
    return (
        f"{settings.sources_dir / drop.source}.yml: tables.{drop.table} accepts none of the "
        f"{sum(one.records_in for one in outcomes):,} records of {drop.file_name}"
        f"{f' and {len(outcomes) - 1:,} more' if outcomes[1:] else ''} ({told}{f'; {detail}' if detail else ''}); "
        "nothing was landed. Correct the mapping or the files, then run the day again (docs/how-to/bring-your-data.md)"
    )
