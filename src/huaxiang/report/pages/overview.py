"""The overview: what this portrait is, whether it can be trusted, and where to look next."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import Any

from huaxiang.report import charts, facts, words
from huaxiang.report.conservation import Conservation, conservation
from huaxiang.report.days import Day, days
from huaxiang.report.pages import models
from huaxiang.report.site import Site
from huaxiang.report.tables import BuildTables

_ABOUT = {
    "population.html": "Everybody in figures, and how persons and segments add up to it.",
    "segments.html": "How customers group, and what sets each group apart.",
    "tags.html": "Every tag: what it says, who owns it, whom it covers, how steady it is.",
    "audiences.html": "Whom the home asks for, in words, with sizes and overlaps.",
    "moves.html": "Who changed segment since the day before, and the feature that moved.",
    "models.html": "Every model beside its baseline: how good it is, how that was measured, what else was tried.",
    "features.html": "Every declared feature: what it says, of how many, how fresh it is and who reads it.",
    "recommendations.html": "What to recommend and why, and what is bought together.",
    "customer.html": "One customer: the portrait in words, every tag with its evidence.",
    "quality.html": "Every check, and every refused record with its reason.",
    "data.html": "Every table and column, what it means and what it is made from.",
}


@dataclass(frozen=True)
class Key:
    """A key figure."""

    label: str
    value: str


@dataclass(frozen=True)
class Verdict:
    """One sentence on whether the portraits can be trusted."""

    state: str
    text: str
    link: str = ""
    link_text: str = ""


def write(site: Site, tables: BuildTables, pages: list[str]) -> dict[str, int]:
    """Write `index.html`; returns the figures the step logs."""
    currency = tables.settings.currency
    totals = facts.totals(tables)
    account = conservation(tables, totals)
    gates = facts.gates(tables)
    steps = facts.steps(tables)
    sources = {row.source_name for row in account.tables} if account else set()
    site.write(
        "index.html",
        lede=_lede(totals, tables),
        keys=_keys(totals, tables, currency),
        verdicts=[*_verdicts(account, gates), *_left_out(models.left_out(tables))],
        activity=_activity(days(tables, totals), currency),
        account=account,
        many_sources=len(sources) > 1,
        steps=steps,
        longest=max((step.seconds for step in steps), default=1) or 1,
        models=facts.models(tables),
        left_out=facts.left_out(tables),
        links=[(file, title, _ABOUT[file]) for file, title in site.common["pages"] if file in _ABOUT],
    )
    return {"customers": totals.customers}


def _lede(totals: facts.Totals, tables: BuildTables) -> str:
    run = tables.run
    drops = (
        "the drops loaded by that day"
        if run.known_at == run.as_of
        else f"the drops loaded by {words.day(run.known_at)}"
    )
    known = f"What is known of {words.plural(totals.customers, 'customer')} at the end of that day, from {drops}."
    if totals.first_order_on and totals.last_order_on:
        known += f" Their orders run from {words.day(totals.first_order_on)} to {words.day(totals.last_order_on)}."
    return known


def _keys(totals: facts.Totals, tables: BuildTables, currency: str) -> list[Key]:
    keys = [Key("Customers", words.count(totals.customers))]
    if totals.orders is not None:
        keys.append(Key("Orders", words.count(totals.orders)))
    if totals.order_lines is not None:
        keys.append(Key("Order lines", words.count(totals.order_lines)))
    if totals.net_spend is not None:
        keys.append(Key("Net spend", words.money(totals.net_spend, currency)))
    if tables.has("segments"):
        [row] = tables.rows("select count(*) as segments from segments")
        keys.append(Key("Segments", words.count(row["segments"])))
    return keys


def _verdicts(account: Conservation | None, gates: tuple[facts.Gate, ...]) -> list[Verdict]:
    verdicts = []
    if account and account.missing:
        text = f"{words.plural(account.missing, 'record')} that came in cannot be accounted for: see the table below."
        verdicts.append(Verdict("failed", text))
    elif account:
        total = account.total
        text = f"All {words.count(total.records_in)} records that came in are accounted for: "
        text += f"{words.count(total.accepted)} accepted"
        if total.quarantined:
            text += f", {words.count(total.quarantined)} refused with a reason."
            verdicts.append(Verdict("passed", text, "quality.html#refused", "See the refused records"))
        else:
            verdicts.append(Verdict("passed", text + ", none refused."))
    for gate in gates:
        verdicts.append(_gate_verdict(gate))
    return verdicts


def _left_out(families: list[tuple[str, str]]) -> list[Verdict]:
    """A model that fails is missing from the portraits: they are published, and this says so."""
    return [
        Verdict("warning", f"The {family} are left out of this run: {reason}", "models.html#left-out", "See the models")
        for family, reason in families
    ]


def _gate_verdict(gate: facts.Gate) -> Verdict:
    of = {"landing": "what came in", "profiles": "what goes out"}.get(gate.suite, gate.suite)
    passed, warned, failed = (gate.counted(state) for state in ("passed", "warning", "failed"))
    text = f"{passed} of {words.plural(len(gate.checks), 'check')} on {of} passed"
    if failed:
        text += f", {failed} failed"
    if warned:
        text += f", {words.plural(warned, 'warning')}"
    state = "failed" if failed or not gate.passed else "warning" if warned else "passed"
    return Verdict(state, text + ".", f"quality.html#{gate.suite}", "See the checks")


def _activity(known: list[Day], currency: str) -> dict[str, Any] | None:
    if len(known) < 2:
        return None
    symbol = words.money(0, currency, 0).replace("0", "").strip()
    return {
        "charts": [
            {"title": "Orders a day", "drawing": charts.daily(known, "orders", "Orders", ",.0f")},
            {
                "title": f"Net spend a day{f', {symbol}' if symbol else ''}",
                "drawing": charts.daily(known, "net_spend", "Net spend", ",.0f"),
            },
        ],
        "head": ("Month", "Days", "Orders", "Net spend", "Orders a day"),
        "rows": [
            _month(list(group), currency) for _, group in groupby(known, key=lambda day: (day.day.year, day.day.month))
        ],
    }


def _month(month: list[Day], currency: str) -> tuple[str, ...]:
    orders = sum(day.orders for day in month)
    spend = sum((day.net_spend for day in month), start=0 * month[0].net_spend)
    name = f"{month[0].day:%B %Y}"
    return (
        name,
        words.count(len(month)),
        words.count(orders),
        words.money(spend, currency),
        words.number(orders / len(month)),
    )
