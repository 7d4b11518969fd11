"""Does the ledger agree with what lies in Parquet, file by file?"""

from __future__ import annotations

from dataclasses import dataclass

from expectations.checks import equal
from expectations.duckdb_engine import Database
from expectations.landing.intake import LAND_AGAIN, Intake


@dataclass(frozen=True)
class _Balance:
    """Two columns of `files` that must be equal, their words and the folder to look in."""

    view: str
    said: str
    found: str
    said_word: str
    found_word: str
    folder: str
    is_money: bool = False


_BALANCES = (
    _Balance("records_balance", "records_in", "records_out", "records in", "accepted or refused", "landing"),
    _Balance("rows_balance", "accepted", "landed_rows", "accepted in the ledger", "rows landed", "landing"),
    _Balance("refused_balance", "refused", "refused_rows", "refused in the ledger", "rows in quarantine", "quarantine"),
    _Balance("money_balance", "net", "landed_net", "net amount in the ledger", "landed", "landing", is_money=True),
)


def balance_views(database: Database) -> None:
    """One view per balance, one row per file. Money that differs says how many rows differ, if any."""
    for balance in _BALANCES:
        figure, kind = ("{:,.2f}", "double") if balance.is_money else ("{:,}", "bigint")
        text = f"{{}}: {balance.said_word} {figure}, {balance.found_word} {figure}"
        rows = "accepted - landed_rows" if balance.is_money else f"{balance.said} - {balance.found}"
        database.run(
            f"""
            create view {balance.view} as
            select
                {balance.said},
                {balance.found},
                format('{text}', file_name, {balance.said}::{kind}, {balance.found}::{kind}) as said,
                abs({rows})::bigint as failing_rows,
                '{balance.folder}/' || parquet as place
            from files
            """
        )


def reconciliation(intake: Intake) -> list:
    balances = [
        (
            "every_record_is_accounted_for",
            "records_balance",
            ("records_in", "records_out"),
            "for every file: records counted on its bytes = accepted + refused",
            "Nothing that came in may vanish: the count on the bytes does not depend on the loader.",
        ),
        (
            "accepted_rows_are_landed",
            "rows_balance",
            ("accepted", "landed_rows"),
            "for every file: accepted in the ledger = rows in landed Parquet",
            "What the ledger promises must lie in the files that all later steps read, no row less and no row more.",
        ),
        (
            "refused_rows_are_in_quarantine",
            "refused_balance",
            ("refused", "refused_rows"),
            "for every file: refused in the ledger = rows in quarantine",
            "A refused record stays available, so that it can be judged and sent again.",
        ),
    ]
    if intake.has_money:
        balances.append(
            (
                "money_is_landed_to_the_cent",
                "money_balance",
                ("net", "landed_net"),
                "for every file: sum of net_amount in the ledger = in landed Parquet",
                "Row counts can agree while amounts do not; money is compared exactly.",
            )
        )
    return [
        equal(
            columns,
            name=name,
            view=view,
            table="order_lines" if view == "money_balance" else "ledger",
            expected=expected,
            description=description,
            next_step=LAND_AGAIN,
        )
        for name, view, columns, expected, description in balances
    ]
