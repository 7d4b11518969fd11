"""The player of MovieLens 100K, on invented files of the same form: the real ones may not be passed on."""

from __future__ import annotations

import csv
from datetime import date

import pytest

from huaxiang.errors import BadConfiguration
from huaxiang.settings import PROJECT, load_settings
from huaxiang.simulate import movielens_100k, simulate

CONFIG = PROJECT / "homes" / "movielens_100k" / "huaxiang.yml"
FILES = {
    # 874 724 710: 1997-09-20 03:05:10 UTC, which is still the evening of the 19th in Chicago.
    "inter": "user_id:token\titem_id:token\trating:float\ttimestamp:float\n"
    "10\t7\t4\t874811110\n9\t7\t5\t874724710\n9\t11\t1\t874724711\n",
    "user": "user_id:token\tage:token\tgender:token\toccupation:token\tzip_code:token\n"
    "10\t53\tF\tother\t00000\n9\t24\tM\tbaker\tT8H1N\n",
    "item": "item_id:token\tmovie_title:token_seq\trelease_year:token\tclass:token_seq\n"
    '11\tThe "Plum"\t1990\tDrama\n7\tThe Pear, Again\t1995\tComedy Drama\n',
}


@pytest.fixture
def site(tmp_path, monkeypatch):
    folder = tmp_path / "bench" / "lib" / "python3.11" / "site-packages" / "recbole" / "dataset_example" / "ml-100k"
    folder.mkdir(parents=True)
    for name, content in FILES.items():
        (folder / f"ml-100k.{name}").write_text(content)
    monkeypatch.setattr(movielens_100k, "ENVIRONMENT", tmp_path / "bench")
    monkeypatch.setenv("HUAXIANG_CONFIG", str(CONFIG))
    monkeypatch.setenv("HUAXIANG_HOME", str(tmp_path / "home"))
    return load_settings()


def read(settings, name: str) -> list[dict[str, str]]:
    with (settings.inbox / "movielens_100k" / name).open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def test_a_drop_holds_the_marks_of_its_local_day_with_their_line_in_the_file(site):
    simulate(site, "movielens_100k", date(1997, 9, 20))
    first, second = (read(site, f"ratings/ratings_1997-09-{day}.csv") for day in (19, 20))
    assert [(row["rating_number"], row["user_id"], row["rating"]) for row in first] == [
        ("2", "9", "5"),
        ("3", "9", "1"),
    ]
    assert [row["rating_number"] for row in second] == ["1"]


def test_what_is_played_is_accepted_whole_and_a_mark_becomes_a_review_and_no_order(site):
    import duckdb

    from huaxiang import landing
    from huaxiang.settings import Run

    simulate(site, "movielens_100k", date(1997, 9, 20))
    landing.land(site, Run(date(1997, 9, 20), date(1997, 9, 20)))
    landed = site.home.landing / "movielens_100k"
    assert sorted(folder.name for folder in landed.iterdir()) == [
        "customers", "events", "products", "reviews", "surveys",
    ]  # fmt: skip
    bands = duckdb.sql(f"select customer_id, age_band from '{landed}/customers/*/*.parquet' order by 1").fetchall()
    assert bands == [("10", "45-54"), ("9", "18-24")]
    films = duckdb.sql(f"select product_id, category from '{landed}/products/*/*.parquet' order by 1").fetchall()
    assert films == [("11", "Drama"), ("7", "Comedy")]


def test_a_sample_keeps_the_members_with_the_smallest_numbers(site):
    simulate(site, "movielens_100k", date(1997, 9, 20), customers=1)
    assert [row["user_id"] for row in read(site, "members/members_1997-09-19.csv")] == ["9"]
    assert not (site.inbox / "movielens_100k" / "ratings" / "ratings_1997-09-20.csv").exists()


def test_without_the_data_set_the_next_step_is_told(site, monkeypatch, tmp_path):
    monkeypatch.setattr(movielens_100k, "ENVIRONMENT", tmp_path / "nothing")
    with pytest.raises(BadConfiguration, match="run 'make bench-ratings'"):
        simulate(site, "movielens_100k", date(1997, 9, 20))
