"""Landed identifiers become persons: the part of staging before dbt, on a small landed home."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from huaxiang.errors import BrokenConservation, MissingPartition
from huaxiang.identity import likeness, resolve, review
from huaxiang.identity.decisions import read_decisions
from huaxiang.landing.ledger import read_ledger
from huaxiang.landing.versions import known_files, write_known_files
from huaxiang.settings import Run, Settings, load_settings
from huaxiang.steps import StepLog
from huaxiang.tables import Home
from huaxiang.timetravel.private_home import link_identity
from tests.dbt.small_home import SmallHome

DAY, NEXT, LATER = date(2026, 1, 1), date(2026, 1, 2), date(2026, 1, 3)
POLICY = """
kinds:
  email: {strength: strong, clean: email, ignore: [nobody@example.com]}
  phone: {strength: strong, clean: phone}
  device: {strength: weak, confidence: 0.5, half_life_days: 2}
  known_person: {strength: answer}
most_per_identifier: 3
most_per_person: 4
"""
Rows = list[tuple[str, str, str]]  # customer, kind, value


@pytest.fixture
def make_home(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], SmallHome]:
    def make() -> SmallHome:
        root = tmp_path_factory.mktemp("identity")
        (root / "identity.yml").write_text(POLICY, encoding="utf-8")
        sources = ("crm", "shop", "web")
        return SmallHome(
            replace(load_settings(), home=Home(root / "home"), config=root / "huaxiang.yml", sources=sources, models=())
        )

    return make


@pytest.fixture
def home(make_home: Callable[[], SmallHome]) -> SmallHome:
    return make_home()


def land(home: SmallHome, source: str, day: date, rows: Rows) -> None:
    said = [{"customer_id": customer, "kind": kind, "value": value} for customer, kind, value in rows]
    home.land("identifiers", day, said, source=source)


def staged(home: SmallHome, day: date) -> StepLog:
    """Recognise people as staging does, and return what it tells."""
    settings, run, log = home.settings, Run(day, day), StepLog("staging")
    files = known_files(read_ledger(settings), day)
    write_known_files(settings, files)
    resolve(settings, run, {one.table_name for one in files}, log)
    return log


def persons(home: SmallHome) -> dict[str, str]:
    rows = pq.ParquetFile(home.settings.home.person_keys).read().to_pylist()
    return {f"{row['source_name']}:{row['source_customer_id']}": row["customer_id"] for row in rows}


def everything(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_a_strong_identifier_makes_one_person_however_it_is_written(home: SmallHome) -> None:
    land(home, "crm", DAY, [("1", "email", "Ann@Example.com"), ("2", "email", "bob@example.com")])
    shop = [("7", "email", " ann@example.COM "), ("7", "phone", "+49 30 12345"), ("8", "email", "nobody@example.com")]
    land(home, "shop", NEXT, shop)
    land(home, "web", NEXT, [("x", "phone", "0049-30-12345"), ("y", "email", "nobody@example.com")])
    log = staged(home, NEXT)
    assert persons(home) == {"crm:1": "1", "shop:7": "1", "web:x": "1", "crm:2": "2"}
    assert log.facts["persons"] == 2


def test_two_people_with_one_device_stay_two_and_the_device_fades(home: SmallHome) -> None:
    land(home, "crm", DAY, [("1", "email", "a@a"), ("1", "device", "d"), ("2", "email", "b@b"), ("2", "device", "d")])
    staged(home, DAY)
    assert persons(home) == {"crm:1": "1", "crm:2": "2"}
    assert "share a device" in review.explain(home.settings, "1")
    assert ": 0.5000, known since 2026-01-01" in review.explain(home.settings, "1")
    staged(home, LATER)  # one half-life later
    assert ": 0.2500, known since 2026-01-01" in review.explain(home.settings, "1")
    staged(home, date(2026, 1, 9))  # four half-lives: 0.03 is not worth a word
    assert "device" not in review.explain(home.settings, "1")


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.sampled_from("12345"), st.sampled_from("abc")), min_size=1, max_size=12, unique=True))
def test_whoever_shares_devices_only_is_never_joined(
    make_home: Callable[[], SmallHome], uses: list[tuple[str, str]]
) -> None:
    home = make_home()
    land(home, "crm", DAY, [(customer, "device", device) for customer, device in uses])
    staged(home, DAY)
    assert persons(home) == {f"crm:{customer}": customer for customer, _ in uses}


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (3, 2, 1, 0), (2, 0, 3, 1)])
def test_the_order_in_which_drops_arrive_changes_nothing(
    make_home: Callable[[], SmallHome], order: tuple[int, ...]
) -> None:
    drops: list[tuple[str, date, Rows]] = [
        ("crm", DAY, [("1", "email", "a@a"), ("2", "email", "b@b")]),
        ("shop", DAY, [("7", "email", "a@a"), ("7", "phone", "1")]),
        ("web", NEXT, [("x", "phone", "1"), ("y", "phone", "2")]),
        ("shop", NEXT, [("8", "phone", "2"), ("8", "email", "b@b")]),
    ]
    found = []
    for arrival in ((0, 1, 2, 3), order):
        home = make_home()
        for place in arrival:
            land(home, *drops[place])
        staged(home, NEXT)
        found.append(home.settings.home.person_keys.read_bytes())
    assert found[0] == found[1]


def test_the_same_run_again_changes_nothing(home: SmallHome) -> None:
    land(home, "crm", DAY, [("1", "email", "a@a")])
    staged(home, DAY)
    land(home, "shop", NEXT, [("7", "email", "a@a")])
    staged(home, NEXT)
    before = everything(home.settings.home.identity), everything(home.settings.home.warehouse)
    staged(home, NEXT)
    assert (everything(home.settings.home.identity), everything(home.settings.home.warehouse)) == before


def test_a_log_file_is_never_written_again_and_a_link_stands_in_it_once(home: SmallHome) -> None:
    land(home, "crm", DAY, [("1", "email", "a@a"), ("2", "email", "a@a")])
    staged(home, DAY)
    first = everything(home.settings.home.identity / "links")
    land(home, "shop", NEXT, [("7", "email", "a@a")])
    staged(home, NEXT)
    after = everything(home.settings.home.identity / "links")
    assert list(after) == ["000001.parquet", "000002.parquet"]
    assert after["000001.parquet"] == first["000001.parquet"]
    assert [pq.ParquetFile(home.settings.home.identity / "links" / name).metadata.num_rows for name in after] == [1, 2]
    assert not any(b"a@a" in content for content in after.values())


def test_the_share_of_changed_ids_is_told_and_kept(home: SmallHome) -> None:
    land(home, "crm", DAY, [(number, "email", f"{number}@a") for number in "1234"])
    assert "ids changed" not in staged(home, DAY).facts
    land(home, "crm", NEXT, [("4", "phone", "1"), ("3", "phone", "1")])
    assert staged(home, NEXT).facts["ids changed"] == "1 (25.000%)"  # 4 is 3 now
    assert '"share": 0.25' in (home.settings.home.identity / "churn" / f"{NEXT}.json").read_text(encoding="utf-8")


def test_to_unmerge_restores_the_exact_state_before_and_rejoin_takes_it_back(home: SmallHome) -> None:
    land(home, "crm", DAY, [("1", "email", "a@a"), ("2", "email", "c@c")])
    land(home, "shop", DAY, [("7", "email", "a@a"), ("8", "phone", "5")])
    staged(home, DAY)
    before = home.settings.home.person_keys.read_bytes()
    land(home, "crm", NEXT, [("2", "phone", "1")])
    land(home, "shop", NEXT, [("7", "phone", "1")])
    staged(home, NEXT)
    merged = home.settings.home.person_keys.read_bytes()
    assert persons(home) == {"crm:1": "1", "crm:2": "1", "shop:7": "1", "shop:8": "shop:8"}
    review.unmerge(home.settings, ["crm:2"], "two people at one desk")
    log = staged(home, NEXT)
    assert home.settings.home.person_keys.read_bytes() == before
    assert "somebody set them apart" in review.explain(home.settings, "2")
    assert log.facts["persons"] == 3
    review.rejoin(home.settings, ["crm:2"], "they were one after all")
    staged(home, NEXT)
    assert home.settings.home.person_keys.read_bytes() == merged


def test_a_shared_identifier_of_too_many_waits_until_it_is_approved(home: SmallHome) -> None:
    land(home, "crm", DAY, [(number, "email", "desk@shop") for number in "1234"])
    log = staged(home, DAY)
    assert log.facts["joins waiting"] == 1
    assert len(set(persons(home).values())) == 4
    said = review.waiting_text(home.settings)
    assert "4 customers share one email: crm:1, crm:2, crm:3, crm:4" in said
    assert "desk@shop" not in said
    review.approve(home.settings, said.split()[0], "one person with four cards")
    log = staged(home, DAY)
    assert set(persons(home).values()) == {"1"}
    assert "joins waiting" not in log.facts


def test_a_person_that_grows_too_large_waits_until_it_is_approved(home: SmallHome) -> None:
    chain = [(str(number), "email", f"{one}@a") for number in range(1, 6) for one in (number, number + 1)]
    land(home, "crm", DAY, chain)
    assert staged(home, DAY).facts["joins waiting"] == 1
    assert sorted(set(persons(home).values())) == ["1", "5"]
    review.approve(home.settings, review.waiting_text(home.settings).split()[0], "looked at")
    assert "joins waiting" not in staged(home, DAY).facts
    assert set(persons(home).values()) == {"1"}


def test_a_home_without_identifiers_pays_nothing(home: SmallHome) -> None:
    home.land("customers", DAY, [{"customer_id": "1"}], source="crm")
    log = staged(home, DAY)
    assert persons(home) == {}
    assert log.facts == {}
    assert not home.settings.home.identity.exists()


def test_known_persons_measure_and_never_link(home: SmallHome, capsys: pytest.CaptureFixture[str]) -> None:
    land(home, "crm", DAY, [("1", "known_person", "p"), ("2", "known_person", "p"), ("1", "email", "a@a")])
    staged(home, DAY)
    assert persons(home) == {"crm:1": "1", "crm:2": "2"}
    assert "recall 0.0000, precision 1.0000" in capsys.readouterr().out


def test_where_nobody_knows_it_is_said_that_accuracy_cannot_be_known(
    home: SmallHome, capsys: pytest.CaptureFixture[str]
) -> None:
    land(home, "crm", DAY, [("1", "email", "a@a")])
    staged(home, DAY)
    assert "cannot be known here" in capsys.readouterr().out


def test_what_cannot_be_decided_is_refused_with_the_next_step(home: SmallHome) -> None:
    with pytest.raises(MissingPartition, match="nothing is staged yet; run 'huaxiang staging'"):
        review.explain(home.settings, "1")
    land(home, "crm", DAY, [("1", "email", "a@a"), ("2", "email", "b@b")])
    staged(home, DAY)
    for act, said in {
        lambda: review.explain(home.settings, "9"): "give a customer_id, or source:id",
        lambda: review.unmerge(home.settings, ["crm:9"], "x"): "name 1 is no customer with an identifier",
        lambda: review.unmerge(home.settings, ["crm:1"], "x"): "nobody else is this person",
        lambda: review.unmerge(home.settings, ["crm:1", "crm:2"], "x"): "customers of several persons",
        lambda: review.rejoin(home.settings, ["crm:1"], "x"): "nobody has set these apart",
        lambda: review.approve(home.settings, "beef", "x"): "nothing waits under 'beef'",
    }.items():
        with pytest.raises(MissingPartition, match=said):
            act()


def test_too_few_customers_are_linked_by_equal_identifiers_alone(home: SmallHome, settings_of: Any) -> None:
    policy = POLICY + "compare_where_equal: [[surname]]\n"
    policy = policy.replace(
        "known_person:",
        "surname: {strength: described, compare: []}\n  given: {strength: described, compare: []}\n  known_person:",
    )
    settings_of(home).write_text(policy, encoding="utf-8")
    land(home, "crm", DAY, [("1", "surname", "Ng"), ("1", "given", "A"), ("2", "surname", "Ng"), ("2", "given", "A")])
    staged(home, DAY)
    assert persons(home) == {"crm:1": "1", "crm:2": "2"}
    assert likeness.newest(home.settings.home) is None


@pytest.fixture
def settings_of() -> Callable[[SmallHome], Path]:
    def path(home: SmallHome) -> Path:
        settings: Settings = home.settings
        return settings.identity_policy

    return path


def test_a_past_release_is_made_with_the_decisions_it_knew(home: SmallHome, tmp_path: Path) -> None:
    land(home, "crm", DAY, [("1", "email", "a@a"), ("2", "email", "a@a")])
    staged(home, DAY)
    review.unmerge(home.settings, ["crm:2"], "two people")
    review.rejoin(home.settings, ["crm:2"], "one after all")
    numbers = {}
    for up_to in (None, {"decisions": 1, "model": 0}, {}):
        past = replace(home.settings, home=Home(tmp_path / str(len(numbers))))
        link_identity(home.settings, past, up_to)
        numbers[str(up_to)] = (read_decisions(past.home).number, len(read_decisions(past.home).apart))
    assert list(numbers.values()) == [(2, 0), (1, 1), (0, 0)]


def test_a_decision_or_model_that_was_changed_stops_the_run(home: SmallHome) -> None:
    land(home, "crm", DAY, [("1", "email", "a@a"), ("2", "email", "a@a")])
    staged(home, DAY)
    review.unmerge(home.settings, ["crm:2"], "two people")
    (decision,) = (home.settings.home.identity / "decisions").iterdir()
    decision.write_text("{", encoding="utf-8")
    with pytest.raises(
        BrokenConservation, match=r"000001.json: cannot be read, so who is who is not known; restore it"
    ):
        staged(home, DAY)
    levels = {"surname": (likeness.Level(0.9, 0.1), likeness.Level(0.1, 0.9))}
    path = likeness.keep(home.settings.home, likeness.Model(1, 0.001, {"surname": ()}, levels, 200))
    assert likeness.newest(home.settings.home) == likeness.Model(1, 0.001, {"surname": ()}, levels, 200)
    path.write_text(path.read_text(encoding="utf-8").replace("0.9", "0.8"), encoding="utf-8")
    with pytest.raises(BrokenConservation, match=r"000001.json: has changed since it was written"):
        likeness.newest(home.settings.home)
