"""A rule does not change behind its version, releases stay readable, and a change is seen beforehand."""

import json
from dataclasses import replace
from datetime import date
from pathlib import Path

import duckdb
import pytest

from huaxiang.errors import BadConfiguration, HuaxiangError
from huaxiang.release.store import Release
from huaxiang.settings import Settings
from huaxiang.tables import Home
from huaxiang.tags import figures, in_force, load_tags, text, versions
from huaxiang.tags.backfill import backfill
from huaxiang.tags.editing import retire, rollback
from huaxiang.tags.preview import difference
from huaxiang.tracking.handover import _tag_figures
from tests.unit.tag_files import GOOD, bare_project, write

DAY = date(2026, 1, 31)
FOUR, THREE = "order_count_28d >= 4", "order_count_28d >= 3"


@pytest.fixture
def project(settings: Settings, tmp_path: Path) -> Settings:
    project = bare_project(replace(settings, home=Home(tmp_path / "home")), tmp_path)
    write(project, GOOD)
    return project


@pytest.fixture
def released(project: Settings) -> Release:
    """A release of three customers with 2, 3 and 4 orders in 28 days, made with the tag files as they are."""
    return release_of(project, "2026-01-31-aaaa")


def release_of(project: Settings, release_id: str) -> Release:
    folder = project.home.release(release_id)
    (folder / "profiles").mkdir(parents=True)
    with duckdb.connect() as connection:
        connection.execute(
            f"copy (select * from (values ('c1', date '{DAY}', 2), ('c2', date '{DAY}', 3), ('c3', date '{DAY}', 4))"
            " as t (customer_id, as_of, order_count_28d))"
            f" to '{folder}/profiles/customer_profiles.parquet' (format parquet)"
        )
        connection.execute(
            f"copy (select 'c3' as customer_id, date '{DAY}' as as_of, 'often' as tag, 'yes' as value,"
            " 1.0::double as confidence)"
            f" to '{folder}/profiles/customer_tags.parquet' (format parquet)"
        )
    tags = load_tags(project)
    figures.write(folder, figures.of_build(folder, tags, DAY, None), tags)
    return Release(folder, {"as_of": str(DAY), "known_at": str(DAY)})


def test_the_figures_of_a_tag_are_counted(project: Settings, released: Release) -> None:
    [said] = json.loads((released.path / "profiles/tags.json").read_text())
    assert (said["customers"], said["coverage"], said["values"]) == (1, 0.333333, [["yes", 1]])
    [again] = figures.of_build(released.path, load_tags(project), DAY, released.path)
    assert again.changed == 0.0


def test_a_rule_that_changed_is_refused_until_its_version_rises(project: Settings, released: Release) -> None:
    told = versions.told(project, [released])
    versions.check_versions(load_tags(project), told)
    write(project, GOOD.replace(FOUR, THREE))
    with pytest.raises(BadConfiguration, match=r"often\.yml:12: 'version' 1 stood for another rule.*write version: 2"):
        versions.check_versions(load_tags(project), told)
    write(project, GOOD.replace(FOUR, THREE).replace("version: 1", "version: 2"))
    versions.check_versions(load_tags(project), told)


def test_words_can_change_without_a_new_version(project: Settings, released: Release) -> None:
    write(project, GOOD.replace("Comes often.", "Comes very often."))
    versions.check_versions(load_tags(project), versions.told(project, [released]))


def test_history_outlives_the_release(project: Settings, released: Release) -> None:
    versions.keep(project, [released])
    told = versions.told(project, [])
    assert [(one.name, one.version, one.customers, one.text) for one in told] == [("often", 1, 1, GOOD)]
    kept = project.home.tags_released / "2026-01-31-aaaa.json"
    kept.write_text(kept.read_text()[:-9])
    assert versions.told(project, []) == [], "a damaged file stops nobody"
    assert "since 2026-01-31, last 2026-01-31, in 1 release; 1 customer" in text.history(told, "often", None)


def test_the_rule_of_an_earlier_version_comes_back(project: Settings, released: Release) -> None:
    write(project, GOOD.replace(FOUR, THREE).replace("version: 1", "version: 2"))
    told = versions.told(project, [released])
    rollback(project, "often", 1, told)
    versions.check_versions(load_tags(project), told)
    assert FOUR in load_tags(project)[0].value
    with pytest.raises(HuaxiangError, match="no release had version 3; there are: 1"):
        rollback(project, "often", 3, told)


def test_a_retired_tag_is_in_the_portraits_of_the_days_before_only(project: Settings) -> None:
    retire(project, "often", DAY)
    tags = load_tags(project)
    assert [tag.name for tag in in_force(tags, date(2026, 1, 30))] == ["often"]
    assert in_force(tags, DAY) == ()


def test_a_tag_that_another_reads_cannot_be_retired_alone(project: Settings) -> None:
    reader = GOOD.replace("name: often", "name: reader").replace(FOUR, "tag_often = 'yes'") + "reads: [often]\n"
    write(project, reader, "reader")
    with pytest.raises(BadConfiguration, match="'often' is retired on"):
        retire(project, "often", DAY)
    assert (project.tags_dir / "often.yml").read_text() == GOOD


def test_the_difference_is_exactly_the_customers_whose_value_would_change(
    project: Settings, released: Release, tmp_path: Path
) -> None:
    assert difference(project, released, load_tags(project)).changes == ()
    write(project, GOOD.replace(FOUR, THREE))
    found = difference(project, released, load_tags(project), out=tmp_path / "who.csv")
    assert [(one.tag, one.before, one.after, one.customers) for one in found.changes] == [("often", None, "yes", 1)]
    assert (tmp_path / "who.csv").read_text() == "customer_id,tag,before,after\nc2,often,,yes\n"


def test_the_difference_names_a_promise_that_would_break(project: Settings, released: Release) -> None:
    write(project, GOOD + "is_exhaustive: true\n")
    assert difference(project, released, load_tags(project)).broken == (
        "often leaves 2 customers without a value, but is to be exhaustive",
    )


def test_a_tag_that_reads_what_the_release_does_not_hold_is_not_guessed(project: Settings, released: Release) -> None:
    write(project, GOOD.replace("name: often", "name: new").replace(FOUR, "recency_days < 7"), "new")
    write(
        project,
        GOOD.replace("name: often", "name: reader").replace(FOUR, "tag_new = 'yes'") + "reads: [new]\n",
        "reader",
    )
    found = difference(project, released, load_tags(project))
    assert (found.changes, found.not_comparable) == ((), ("new", "reader"))
    with pytest.raises(HuaxiangError, match="new: no release of those days can be used"):
        backfill(project, load_tags(project)[0], load_tags(project), [released])


def test_a_retired_tag_shows_in_the_difference(project: Settings, released: Release) -> None:
    write(project, GOOD + f"retired_on: {DAY}\n")
    [change] = difference(project, released, load_tags(project)).changes
    assert (change.before, change.after, change.customers) == ("yes", None, 1)


def test_a_new_tag_is_computed_over_past_releases_into_a_side_table(project: Settings, released: Release) -> None:
    write(project, GOOD.replace("name: often", "name: new").replace(FOUR, THREE), "new")
    tags = load_tags(project)
    path, releases, rows = backfill(project, tags[0], tags, [released])
    found = duckdb.sql(f"select release_id, customer_id, version, value from '{path}' order by customer_id").fetchall()
    assert (releases, rows) == (1, 2)
    assert found == [("2026-01-31-aaaa", "c2", 1, "yes"), ("2026-01-31-aaaa", "c3", 1, "yes")]


def test_a_model_tag_is_stale_when_its_model_learned_longer_ago_than_the_tag_holds(
    project: Settings, released: Release
) -> None:
    write(project, GOOD.replace("kind: rule", "kind: model\njudged_by: segments.silhouette\nneeds: [segments]"))
    (released.path / "segments").mkdir()
    for day, is_stale in (("2026-01-24", False), ("2026-01-23", True)):
        (released.path / "segments" / "model.json").write_text(json.dumps({"training_as_of": day}))
        [said] = figures.of_build(released.path, load_tags(project), DAY, None)
        assert (str(said.rests_on), said.is_stale) == (day, is_stale)


def test_a_model_tag_carries_by_how_much_its_model_beats_the_baseline(project: Settings, released: Release) -> None:
    write(project, GOOD.replace("kind: rule", "kind: model\nneeds: [scores]\njudged_by: churn_28d.auc"))
    [said] = figures.of_build(released.path, load_tags(project), DAY, None)
    assert said.gain is None, "a home without that model"
    (released.path / "scores").mkdir()
    for model, baseline in (("category_28d", 0.5), ("churn_28d", 0.82)):
        card = {"model": model, "metrics": {"auc": 0.877, "baseline_auc": baseline}}
        (released.path / "scores" / f"model.{model}.json").write_text(json.dumps(card))
    [said] = figures.of_build(released.path, load_tags(project), DAY, None)
    assert (said.gain, said.gain_low) == (0.057, None)
    paired = {"auc": 0.877, "baseline_auc": 0.82, "auc_gain": 0.057, "auc_gain_low": 0.05, "auc_gain_high": 0.064}
    (released.path / "scores" / "model.churn_28d.json").write_text(
        json.dumps({"model": "churn_28d", "metrics": paired})
    )
    [said] = figures.of_build(released.path, load_tags(project), DAY, None)
    assert (said.gain, said.gain_low, said.gain_high) == (0.057, 0.05, 0.064)


def test_what_is_foretold_without_a_training_is_judged_every_day(project: Settings, released: Release) -> None:
    """Less is better of an error, so the card says the gain; the tag rests on the day itself."""
    write(project, GOOD.replace("kind: rule", "kind: model\njudged_by: next_purchases.error_days"))
    (released.path / "features").mkdir()
    metrics = {"error_days": 16.0, "baseline_error_days": 17.1, "error_days_gain": 1.1}
    card = {"model": "next_purchases", "metrics": metrics, "judged_as_of": str(DAY)}
    (released.path / "features" / "judged.next_purchases.json").write_text(json.dumps(card))
    [said] = figures.of_build(released.path, load_tags(project), DAY, None)
    assert (said.gain, said.gain_low, said.rests_on) == (1.1, None, DAY)
    assert _tag_figures({"as_of": str(DAY), "tags": {"often": {"rests_on": str(DAY), "gain": 1.1}}}) == {
        "tag_age_days.often": 0.0,
        "tag_gain.often": 1.1,
    }


def test_the_figures_of_tags_become_metrics_of_the_release(project: Settings, released: Release) -> None:
    said = {"as_of": "2026-02-02", "tags": versions.as_manifest(released.path)}
    figures_of = {"tag_coverage.often": 0.333333, "tag_confidence.often": 1.0, "tag_age_days.often": 2.0}
    assert _tag_figures(said) == figures_of
    assert _tag_figures({"as_of": "2026-02-02"}) == {}, "a release that waits since before there were figures"
