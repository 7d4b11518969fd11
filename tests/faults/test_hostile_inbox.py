"""Names, links, devices and archives that mean harm: they are refused or read as plain text, and the day goes on."""

from __future__ import annotations

import os
import time
from dataclasses import replace

import pytest

from faults.bad_inputs import CSV, FIELDS, GZIP, PARQUET, csv_text, good_rows, gzip_bomb, parquet
from faults.landing_home import DAY, LandingHome
from huaxiang.errors import BadConfiguration, MissingPartition
from huaxiang.settings import load_settings

pytestmark = pytest.mark.faults

TEXT = csv_text(good_rows()).encode()


@pytest.fixture
def home(tmp_path):
    home = LandingHome(tmp_path, [CSV])
    home.drop(CSV, "good", TEXT)
    return home


NAMES = (
    "'; drop table x; --", '"', "{{ 7 * 7 }}", "$(touch x)", "-rf", "a b", "..", "a\\b", "茶", "%s", "*", "[a-z]", "?",
    "<script>alert(1)<", "x" * 215, "e\u0301",
)  # fmt: skip
UNPRINTABLE = ("a\nb", "a\x1b[31mb", "a\u202eb", "a\tb", "\x7f", "\u200b")


def test_drops_of_whatever_printable_names_land_under_them(home):
    for number, name in enumerate(NAMES):
        home.drop(CSV, name, TEXT + b"L51,c1,2024-01-01 10:00:00,1,2.50,p%d\n" % number)
    fates = home.lands()
    assert {name: fates[CSV.name, CSV.file_name(name)].accepted for name in NAMES} == dict.fromkeys(NAMES, 51)


def test_names_that_would_change_what_is_printed_are_told_as_unmatched(home, capsys):
    for name in UNPRINTABLE:
        home.drop(CSV, name, TEXT + b"more\n")
    assert list(home.lands()) == [(CSV.name, CSV.file_name("good"))]
    told = "".join(capsys.readouterr())
    assert f"{len(UNPRINTABLE)} files match no mapping" in told
    assert not any(name in told for name in UNPRINTABLE)


def test_a_name_that_is_no_text_is_told_as_unmatched(home, capsys):
    folder = os.fsencode(home.settings.inbox / CSV.name)
    with open(folder + f"/drop_{DAY}_".encode() + b"\xff.csv", "wb") as file:
        file.write(TEXT + b"more\n")
    assert list(home.lands()) == [(CSV.name, CSV.file_name("good"))]
    assert "1 files match no mapping" in "".join(capsys.readouterr())


def test_a_link_out_of_the_inbox_is_not_followed_and_is_told(home, tmp_path, capsys):
    secret = tmp_path / "secret.csv"
    secret.write_bytes(TEXT + b"more\n")
    (home.settings.inbox / CSV.name / CSV.file_name("link")).symlink_to(secret)
    (home.settings.inbox / CSV.name / "folder").symlink_to(tmp_path)
    assert list(home.lands()) == [(CSV.name, CSV.file_name("good"))]
    assert "not a file of the inbox" in "".join(capsys.readouterr())


def test_a_link_within_the_inbox_is_followed(home):
    folder = home.settings.inbox / CSV.name
    (folder / "kept").write_bytes(TEXT + b"L51,c1,2024-01-01 10:00:00,1,2.50,p\n")
    (folder / CSV.file_name("link")).symlink_to(folder / "kept")
    assert home.lands()[CSV.name, CSV.file_name("link")].accepted == 51


def test_a_pipe_is_not_opened(home):
    os.mkfifo(home.settings.inbox / CSV.name / CSV.file_name("pipe"))
    assert list(home.lands()) == [(CSV.name, CSV.file_name("good"))]


@pytest.mark.parametrize("name", ["x'; drop table y", "../shop", "a/b", "{{ x }}", "A", "", "-x", "a b", "--"])
def test_a_source_can_only_be_called_by_a_plain_name(home, name):
    settings = replace(home.settings, sources=(name,))
    with pytest.raises(BadConfiguration, match="is not a name"):
        LandingHome.lands(_at(home, settings))


def _at(home, settings):
    other = object.__new__(LandingHome)
    other.settings = settings
    return other


@pytest.mark.parametrize(
    "said",
    [
        # each of nine lists holds the one before it nine times
        "a0: &a0 [x]\n"
        + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 10))
        + "description: *a9\n",
        # the same by merging
        "a0: &a0 {x: 1}\n" + "".join(f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 9)}]}}\n" for n in range(1, 10)),
        "[" * 100_000,
        "description: " + "x" * 2 * 2**20,
        "description: 2024-13-45\n",
        "description: !!python/object/apply:os.system ['true']\n",
        "a: &a [*a]\nb: *a\n",
    ],
    ids=["billion laughs", "billion laughs by merging", "nested", "2 MiB", "no date", "python object", "itself"],
)
def test_a_mapping_that_would_fill_the_memory_is_refused_at_once(home, said):
    (home.settings.sources_dir / f"{CSV.name}.yml").write_text(said)
    began = time.monotonic()
    with pytest.raises(BadConfiguration, match=f"{CSV.name}.yml"):
        home.lands()
    assert time.monotonic() - began < 5


def test_a_configuration_of_the_home_is_held_to_the_same_limits(tmp_path, monkeypatch):
    config = tmp_path / "huaxiang.yml"
    config.write_text("a: &a [x]\nname: [" + "*a, " * 50 + "]\n")
    monkeypatch.setenv("HUAXIANG_CONFIG", str(config))
    with pytest.raises(BadConfiguration, match="aliases"):
        load_settings()


def test_a_bomb_of_ten_gib_is_stopped_in_seconds_and_little_memory(tmp_path):
    import resource

    home = LandingHome(tmp_path, [GZIP])
    home.drop(GZIP, "bomb", _ten_gib())
    before, began = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
    fates = home.lands()
    assert fates[GZIP.name, GZIP.file_name("bomb")].refused == {"ARCHIVE": 1}
    assert time.process_time() - began < 5
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024 < 256


@pytest.mark.parametrize("bomb", ["rows", "bytes"])
def test_a_parquet_file_that_unpacks_beyond_all_measure_costs_that_file(tmp_path, bomb):
    import pyarrow as pa
    import pyarrow.parquet as pq

    if bomb == "rows":
        table = pa.table({"line": pa.nulls(60_000_000, pa.int8())})
    else:
        long = pa.array(["x" * 2**24 + str(number) for number in range(40)])
        table = pa.table(dict.fromkeys(FIELDS, pa.nulls(40, pa.string())) | {"note": long})
    home = LandingHome(tmp_path, [PARQUET])
    home.drop(PARQUET, "good", parquet())
    pq.write_table(
        table, home.settings.inbox / PARQUET.name / PARQUET.file_name("bomb"), compression="zstd", use_dictionary=False
    )
    fates = home.lands()
    assert fates[PARQUET.name, PARQUET.file_name("bomb")].refused == {"ARCHIVE": 1}
    assert fates[PARQUET.name, PARQUET.file_name("good")].accepted == 50


def _ten_gib() -> bytes:
    """80 gzip members of 128 MiB each: compressing one is enough."""
    return gzip_bomb(128) * 80


def test_a_day_without_a_file_an_empty_file_and_an_empty_table_are_told_apart(tmp_path):
    home = LandingHome(tmp_path, [CSV])
    with pytest.raises(MissingPartition, match="no drop of order_lines"):
        home.lands()
    home.drop(CSV, "none", b"")
    home.drop(CSV, "header", TEXT.splitlines(keepends=True)[0])
    fates = home.lands()
    ledger = {name: (fate.accepted, fate.refused) for (_, name), fate in fates.items()}
    assert ledger == {CSV.file_name("none"): (0, {"HEADER": 0}), CSV.file_name("header"): (0, {})}
