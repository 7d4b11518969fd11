import json
from dataclasses import replace
from datetime import date

import duckdb
import pytest

from huaxiang import failpoints, lease, release
from huaxiang.errors import BrokenConservation, GateFailed, MissingPartition, StaleWriter
from huaxiang.release import publication as publishing
from huaxiang.release import show
from huaxiang.settings import Run
from huaxiang.timetravel import errata


@pytest.fixture(autouse=True)
def no_mlflow_and_no_ledger(monkeypatch):
    """These tests are about files; MLflow and the ledger have tests of their own."""
    monkeypatch.setattr(publishing, "_track", lambda *_: "run-1")
    monkeypatch.setattr("huaxiang.landing.ledger.input_hashes", lambda *_: [("shop", "order_lines", "abc")])


def build(settings, day, net_spend="10.50", gate_passes=True, known_at=None):
    """A finished build of one customer, as the steps before `release` leave it."""
    run = Run(day, known_at or day)
    lease.begin(settings, run)
    folder = settings.home.build(run.id)
    for name in ("profiles", "gates", "report"):
        (folder / name).mkdir()
    duckdb.execute(
        f"copy (select 'c1' as customer_id, date '{day}' as as_of, 1::bigint as order_count, 2::bigint as line_count, "
        f"{net_spend}::decimal(18, 2) as net_spend) to '{folder}/profiles/customer_profiles.parquet' (format parquet)"
    )
    for suite in ("landing", "profiles"):
        check = {"name": "volume", "severity": "critical", "passed": gate_passes}
        (folder / "gates" / f"{suite}.json").write_text(json.dumps({"checks": [check]}))
    (folder / "report" / "index.html").write_text(f"<p>{day}</p>")
    return run


def test_a_finished_build_is_published_and_nothing_temporary_stays(settings):
    published = release.publish(settings, build(settings, date(2017, 1, 2)))
    assert release.current(settings).id == published.id
    assert published.manifest["totals"] == {"customers": 1, "orders": 1, "order_lines": 2, "net_spend": "10.50"}
    assert set(published.manifest["files"]) == {
        "gates/landing.json", "gates/profiles.json", "profiles/customer_profiles.parquet", "report/index.html",
    }  # fmt: skip
    assert not settings.home.build("2017-01-02").exists()
    assert [path.name for path in settings.home.releases.iterdir()] == [published.id]


def test_publishing_the_same_day_again_gives_the_same_release(settings):
    first = release.publish(settings, build(settings, date(2017, 1, 2)))
    second = release.publish(settings, build(settings, date(2017, 1, 2)))
    assert first.id == second.id
    assert len(release.releases(settings)) == 1


def test_a_failed_gate_publishes_nothing(settings):
    before = release.publish(settings, build(settings, date(2017, 1, 2)))
    with pytest.raises(GateFailed, match="volume"):
        release.publish(settings, build(settings, date(2017, 1, 3), gate_passes=False))
    assert release.current(settings).id == before.id


def test_a_build_without_profiles_publishes_nothing(settings):
    run = build(settings, date(2017, 1, 2))
    (settings.home.build(run.id) / "profiles" / "customer_profiles.parquet").unlink()
    with pytest.raises(MissingPartition, match="huaxiang profiles"):
        release.publish(settings, run)


def test_a_run_overtaken_while_it_seals_does_not_switch(settings, monkeypatch):
    before = release.publish(settings, build(settings, date(2017, 1, 2)))
    run = build(settings, date(2017, 1, 3))
    seal = publishing._seal

    def overtaken(*arguments):
        lease.begin(settings, Run(date(2017, 1, 4), date(2017, 1, 4)))
        return seal(*arguments)

    monkeypatch.setattr(publishing, "_seal", overtaken)
    with pytest.raises(StaleWriter):
        release.publish(settings, run)
    assert release.current(settings).id == before.id


def test_a_rollback_points_at_the_release_before_and_forward_again(settings):
    first, second = (release.publish(settings, build(settings, date(2017, 1, day))) for day in (2, 3))
    assert release.rollback(settings, None).id == first.id
    assert release.rollback(settings, second.id).id == second.id
    with pytest.raises(MissingPartition, match=r"no release '\.\./secret'"):
        release.rollback(settings, "../secret")


def test_a_release_with_a_flipped_bit_is_not_rolled_back_to(settings):
    first, _ = (release.publish(settings, build(settings, date(2017, 1, day))) for day in (2, 3))
    path = first.path / "profiles" / "customer_profiles.parquet"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))
    with pytest.raises(BrokenConservation, match=r"customer_profiles\.parquet has changed"):
        release.rollback(settings, None)


def test_a_release_that_was_damaged_is_sealed_anew_when_its_day_is_published_again(settings):
    first = release.publish(settings, build(settings, date(2017, 1, 2)))
    (first.path / "report" / "index.html").write_text("<p>something else</p>")
    again = release.publish(settings, build(settings, date(2017, 1, 2)))
    release.verify(again)
    assert again.id == first.id
    assert [path.name for path in settings.home.releases.iterdir()] == [first.id]


def damage(published):
    """Flip the first bit of a release's manifest."""
    path = published.path / "MANIFEST.json"
    content = bytearray(path.read_bytes())
    content[0] ^= 1
    path.write_bytes(bytes(content))


def breaks_off(settings, run, place):
    """Publish, and meet a full disk at that place."""
    failpoints.arm(f"{place}:raise")
    try:
        with pytest.raises(OSError, match="No space"):
            release.publish(settings, run)
    finally:
        failpoints.arm(None)


@pytest.mark.parametrize("place", ["release.before_rename", "release.build_set_aside"])
def test_half_a_release_is_never_listed(settings, place):
    settings = replace(settings, keep_releases=1)
    before = release.publish(settings, build(settings, date(2017, 1, 2)))
    run = build(settings, date(2017, 1, 3))
    breaks_off(settings, run, place)
    assert len(list(settings.home.releases.glob(".*/MANIFEST.json"))) == 1
    now = release.current(settings)
    assert [each.id for each in release.releases(settings)] == [now.id]
    assert show.listing(settings).splitlines() == [f"* {now.id}  known at {now.known_at}  1 customers"]
    assert (now.id == before.id) == (place == "release.before_rename")


@pytest.mark.parametrize("content", [None, b"[]", b'{"as_of": "2017-01-02"}', b"\xff"])
def test_a_release_whose_manifest_cannot_be_read_stops_nobody_and_is_told(settings, content):
    first = release.publish(settings, build(settings, date(2017, 1, 2)))
    damage(first) if content is None else (first.path / "MANIFEST.json").write_bytes(content)
    with pytest.raises(
        BrokenConservation, match=r"MANIFEST\.json is not as it was sealed.*'huaxiang run --as-of 2017-01-02'"
    ):
        release.find(settings, first.id)
    assert "MANIFEST.json is not as it was sealed" in show.listing(settings)
    assert errata.record(settings) == 0
    assert release.of_run(settings, Run(date(2017, 1, 2), date(2017, 1, 2))) is None
    second = release.publish(settings, build(settings, date(2017, 1, 3)))
    assert release.current(settings).id == second.id
    assert [each.id for each in release.releases(settings)] == [second.id]


def test_a_release_whose_manifest_cannot_be_read_is_sealed_anew_when_its_day_is_published_again(settings):
    first = release.publish(settings, build(settings, date(2017, 1, 2)))
    damage(first)
    again = release.publish(settings, build(settings, date(2017, 1, 2)))
    release.verify(again)
    assert again.id == first.id
    assert show.listing(settings) == f"* {first.id}  known at 2017-01-02  1 customers"


def test_a_manifest_with_a_flipped_bit_is_refused_and_sealed_anew_when_its_day_is_published_again(settings):
    first = release.publish(settings, build(settings, date(2017, 1, 2)))
    manifest = first.path / "MANIFEST.json"
    manifest.write_text(manifest.read_text().replace('"customers": 1', '"customers": 3'))
    with pytest.raises(BrokenConservation, match=rf"release {first.id}: MANIFEST\.json is not as it was sealed"):
        release.current(settings)
    release.publish(settings, build(settings, date(2017, 1, 2)))
    assert release.current(settings).manifest["totals"]["customers"] == 1


def test_a_release_made_before_manifests_had_a_seal_is_read_but_a_lost_seal_is_told(settings):
    first = release.publish(settings, build(settings, date(2017, 1, 2)))
    (first.path / "MANIFEST.sha256").unlink()
    with pytest.raises(BrokenConservation, match="restore it from a copy with its MANIFEST"):
        release.current(settings)
    (first.path / "MANIFEST.json").write_text(json.dumps(first.manifest | {"schema_version": 1}))
    assert release.current(settings).id == first.id


def test_current_that_names_a_release_that_is_gone_is_healed_by_the_next_one(settings):
    settings.home.root.mkdir(parents=True)
    settings.home.current.write_text("2017-01-09-gone\n")
    published = release.publish(settings, build(settings, date(2017, 1, 2)))
    assert release.current(settings).id == published.id


@pytest.mark.parametrize("place", [name for name in failpoints.NAMES if name.startswith("release.")])
def test_wherever_publishing_breaks_off_one_whole_release_is_current_and_the_retry_publishes(settings, place):
    before = release.publish(settings, build(settings, date(2017, 1, 2)))
    run = build(settings, date(2017, 1, 3))
    breaks_off(settings, run, place)
    release.verify(release.current(settings))
    if settings.home.build(run.id).exists():
        release.publish(settings, run)
    assert release.current(settings).as_of == run.as_of
    assert lease.ended_with(settings, run) == release.current(settings).id
    assert [each.as_of for each in release.releases(settings)] == [before.as_of, run.as_of]


def test_only_the_newest_releases_are_kept(settings):
    published = [release.publish(settings, build(settings, date(2017, 1, day))).id for day in range(2, 11)]
    assert [each.id for each in release.releases(settings)] == published[-settings.keep_releases :]


def test_the_release_before_a_day_is_the_latest_earlier_one(settings):
    assert release.latest_before(settings, date(2017, 1, 9)) is None
    for day in (2, 3, 5):
        release.publish(settings, build(settings, date(2017, 1, day)))
    assert release.latest_before(settings, date(2017, 1, 5)).name.startswith("2017-01-03")


def test_the_list_marks_the_current_release(settings):
    assert "no release yet" in show.listing(settings)
    published = release.publish(settings, build(settings, date(2017, 1, 2)))
    assert show.listing(settings).startswith(f"* {published.id}  known at 2017-01-02  1 customers")


def test_a_run_of_an_older_day_is_sealed_and_the_current_day_stays(settings):
    newest = release.publish(settings, build(settings, date(2017, 1, 5)))
    older = release.publish(settings, build(settings, date(2017, 1, 3)))
    assert release.current(settings).id == newest.id
    assert [each.id for each in release.releases(settings)] == [older.id, newest.id]
    assert release.rollback(settings, older.id).id == older.id


def test_the_same_day_known_earlier_does_not_take_back_a_correction(settings):
    day = date(2017, 1, 3)
    corrected = release.publish(settings, build(settings, day, net_spend="9.50", known_at=date(2017, 1, 9)))
    release.publish(settings, build(settings, day))
    assert release.current(settings).id == corrected.id


def test_after_a_rollback_the_next_day_becomes_current_again(settings):
    first, _ = (release.publish(settings, build(settings, date(2017, 1, day))) for day in (2, 5))
    release.rollback(settings, first.id)
    third = release.publish(settings, build(settings, date(2017, 1, 3)))
    assert release.current(settings).id == third.id


def test_a_day_of_a_back_fill_lives_until_the_next_one_and_the_current_day_always(settings):
    settings = replace(settings, keep_releases=2)
    newest = [release.publish(settings, build(settings, date(2017, 1, day))).id for day in (8, 9)]
    first = release.publish(settings, build(settings, date(2017, 1, 2)))
    assert [each.id for each in release.releases(settings)] == [first.id, *newest]
    assert release.latest_before(settings, date(2017, 1, 3)) == first.path
    second = release.publish(settings, build(settings, date(2017, 1, 3)))
    assert [each.id for each in release.releases(settings)] == [second.id, *newest]
    release.rollback(settings, second.id)
    third = release.publish(settings, build(settings, date(2017, 1, 2)))
    assert {each.id for each in release.releases(settings)} == {third.id, second.id, *newest}


def test_a_run_finds_its_own_release_also_beside_a_later_one(settings):
    release.publish(settings, build(settings, date(2017, 1, 5)))
    older = release.publish(settings, build(settings, date(2017, 1, 3)))
    assert release.of_run(settings, Run(date(2017, 1, 3), date(2017, 1, 3))).id == older.id
    assert release.of_run(settings, Run(date(2017, 1, 3), date(2017, 1, 4))) is None
