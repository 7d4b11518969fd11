"""What a past release is compared with when the release before it is there, or no longer is."""

from dataclasses import replace

from huaxiang.release.store import Release
from huaxiang.tables import Home
from huaxiang.timetravel.reproduce import Comparison, Reproduction, _show_release_before, as_text


def test_the_private_home_sees_the_release_that_moves_were_told_against_and_no_other(settings, tmp_path):
    for name in ("2024-03-29-a", "2024-03-30-b"):
        (settings.home.release(name) / "segments").mkdir(parents=True)
    past = replace(settings, home=Home(tmp_path / "past"))
    assert _show_release_before(settings, past, "2024-03-30-b") == ""
    assert [path.name for path in past.home.releases.iterdir()] == ["2024-03-30-b"]
    assert (past.home.release("2024-03-30-b") / "segments").is_dir()


def test_moves_told_against_a_release_that_is_gone_are_left_out_and_do_not_make_it_differ(settings, tmp_path):
    past = replace(settings, home=Home(tmp_path / "past"))
    assert _show_release_before(settings, past, None) == ""
    gone = _show_release_before(settings, past, "2024-03-30-b")
    assert gone == "it was told against release 2024-03-30-b, which is no longer kept"
    said = {"as_of": "2024-03-31", "known_at": "2024-03-31", "code": {"hash": "x"}}
    tables = (Comparison("segments", 6), Comparison("segment_moves", 35, left_out=gone))
    made = Reproduction(Release(tmp_path / "2024-03-31-c", said), 1, {"hash": "x"}, tables, 0)
    assert made.is_equal
    assert as_text(made).splitlines()[2:] == [
        "equal      segments                      6 rows",
        f"left out   segment_moves                35 rows; {gone}",
        "reproduced 1 of 1 tables equal",
    ]
