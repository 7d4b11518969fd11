"""Who is who: customers of several sources become persons with stable ids, before staging names anybody.

A pure function of the identifiers known at `known_at`, the policy, the fitted model and people's decisions. A home
whose sources deliver no identifiers gets an empty table of persons, and every customer stays one person.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

from huaxiang.files import write_text
from huaxiang.identity import history, known, likeness
from huaxiang.identity.accuracy import measure
from huaxiang.identity.decisions import read_decisions
from huaxiang.identity.exact import exact_links
from huaxiang.identity.people import Id, Link, People, Waiting, age_order, find_people
from huaxiang.identity.policy import ANSWER, STRONG, WEAK, Policy, load_policy
from huaxiang.settings import Run, Settings

if TYPE_CHECKING:
    import duckdb

    from huaxiang.steps import StepLog

SUMMARY = "identity/summary.json"


def resolve(settings: Settings, run: Run, tables: set[str], log: StepLog) -> None:
    """Write `person_keys.parquet` and `person_links.parquet` of the warehouse; add new links to the home's log.

    `tables` are those with rows known to the run. Tells the figures, and what waits for somebody to look.
    Raises BadConfiguration for a policy that cannot be used.
    """
    home = settings.home
    if "identifiers" not in tables:
        history.write_keys(home.person_keys, {})
        history.write_links(home.person_links, [], run)
        return
    policy = load_policy(settings)
    decisions = read_decisions(home)
    with connect() as connection:
        known.attach(connection, settings, policy)
        first_seen = known.first_seen(connection, settings, sorted(tables))
        compared = known.shared(
            connection, [one.name for one in policy.kinds.values() if one.strength in (STRONG, WEAK)]
        )
        links, waiting = exact_links(compared, policy, decisions, run.known_at)
        model, left_out = _model(connection, settings, policy)
        if model:
            links += likeness.probable_links(connection, settings, policy, model)
        answers = known.answers(connection, [one.name for one in policy.of_strength(ANSWER)])
    people = find_people(age_order(first_seen, settings.sources), links, decisions, policy.most_per_person)
    waiting += people.waiting
    keys = {one: (home_id(settings, member.person), member.confidence) for one, member in people.members.items()}
    history.write_keys(home.person_keys, keys)
    history.write_links(home.person_links, links, run)
    summary = {
        **_figures(people, links),
        "churn": history.churn(home, run, home.person_keys),
        "waiting": [{"kind": one.kind, "customers": len(one.members)} for one in waiting],
        "likeness": {"model": model.number, "fingerprint": model.fingerprint} if model else {"left_out": left_out},
        "decisions": decisions.number,
        "accuracy": _accuracy(people, answers),
    }
    write_text(home.build(run.id) / SUMMARY, json.dumps(summary, indent=2) + "\n")
    write_text(home.identity / "waiting.json", json.dumps([_in_full(one) for one in waiting], indent=2) + "\n")
    if new := history.add_links(home, run, links):
        log.fact("new links", new)
    _tell(log, summary)


def connect() -> duckdb.DuckDBPyConnection:
    """A private in-memory database that fetches nothing."""
    import duckdb

    return duckdb.connect(config={"threads": 2, "autoinstall_known_extensions": "false"})


def home_id(settings: Settings, one: Id) -> str:
    """A source's customer as the home names it: the id itself for the home's first source, else `source:id`."""
    return one.id if one.source == settings.sources[0] else str(one)


def _model(
    connection: duckdb.DuckDBPyConnection, settings: Settings, policy: Policy
) -> tuple[likeness.Model | None, str]:
    """The home's model, fitted first where there is none for this policy; or why there is none."""
    if not policy.compared:
        return None, "the policy compares nothing"
    if not known.described(connection, policy):
        return None, "no source describes its customers by two kinds that can be compared"
    model = likeness.newest(settings.home)
    if model and model.fits(policy):
        return model, ""
    try:
        model = likeness.fit(connection, policy, model.number + 1 if model else 1)
    except likeness.CannotFit as reason:
        return None, str(reason)
    likeness.keep(settings.home, model)
    return model, ""


def _figures(people: People, links: list[Link]) -> dict[str, Any]:
    sizes = Counter(member.person for member in people.members.values())
    return {
        "source_ids": len(people.members),
        "persons": len(sizes),
        "joined": sum(size for size in sizes.values() if size > 1),
        "largest": max(sizes.values(), default=0),
        "links": dict(sorted(Counter(link.kind for link in links if link.joins).items())),
        "told": dict(sorted(Counter(link.kind for link in links if not link.joins).items())),
        "set_apart": people.refused,
    }


def _in_full(one: Waiting) -> dict[str, Any]:
    """For the home only: a release names no customer of a source."""
    return {"id": one.id, "kind": one.kind, "customers": len(one.members), "members": list(map(list, one.members))}


def _accuracy(people: People, answers: dict[Id, str]) -> dict[str, Any] | None:
    from dataclasses import asdict

    found = measure({one: member.person for one, member in people.members.items()}, answers)
    return asdict(found) if found else None


def _tell(log: StepLog, summary: dict[str, Any]) -> None:
    log.fact("source ids", summary["source_ids"])
    log.fact("persons", summary["persons"])
    if summary["churn"]:
        log.fact("ids changed", f"{summary['churn']['changed']:,} ({summary['churn']['share']:.3%})")
    if summary["waiting"]:
        log.fact("joins waiting", len(summary["waiting"]))
        log.progress(
            f"{len(summary['waiting']):,} joins wait for somebody to look: 'huaxiang identity review' shows them"
        )
    if "left_out" in summary["likeness"]:
        log.progress(f"no probable links: {summary['likeness']['left_out']}")
    log.progress(accuracy_sentence(summary["accuracy"]))


def accuracy_sentence(accuracy: dict[str, Any] | None) -> str:
    """How right the links are, or what cannot be known of it."""
    from huaxiang.identity.febrl import MEASURED

    if accuracy:
        return (
            f"against {accuracy['customers']:,} customers of known person: recall {accuracy['recall']:.4f},"
            f" precision {accuracy['precision']:.4f}, B-cubed F1 {accuracy['b3_f1']:.4f}"
        )
    return (
        "how right the links are cannot be known here, since nobody says who is who; on FEBRL data set 3 the same code"
        f" reaches recall {MEASURED.recall:.4f}, precision {MEASURED.precision:.4f}, B-cubed F1 {MEASURED.b3_f1:.4f}"
    )
