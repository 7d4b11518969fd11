"""What a segment likes more than others, by hand-counted customers."""

from math import comb

import pandas as pd

from spark_jobs.segments import liked
from spark_jobs.segments.params import SegmentParams

PARAMS = SegmentParams()


def shop(in_first: int, in_second: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Forty customers in each of two segments, of whom so many like tea; everybody likes bread."""
    ids = [f"c{number:02d}" for number in range(80)]
    assigned = pd.DataFrame({"customer_id": ids, "segment_id": [1] * 40 + [2] * 40})
    tea = [*ids[:in_first], *ids[40 : 40 + in_second]]
    rows = [(one, "tea") for one in tea] + [(one, "bread") for one in ids]
    return assigned, pd.DataFrame(rows, columns=["customer_id", "category"])


def test_a_category_that_more_of_a_segment_like_is_told_with_both_shares():
    found = liked.facts(*shop(30, 5), PARAMS)
    assert found[2] == []
    [fact] = found[1]
    assert (fact.word, fact.segment_mean, fact.rest_mean, fact.effect) == ("tea", 0.75, 0.125, 0.625)
    assert fact.statement == "among the strongest interests of 75.0 %, of 12.5 % of the others"
    chance = sum(comb(35, k) * comb(45, 40 - k) for k in range(30, 36)) / comb(80, 40)
    assert fact.p_value == float(f"{4 * chance:.3e}")  # two segments, two categories


def test_a_difference_that_chance_can_make_and_a_sure_but_small_one_are_not_told():
    assert liked.facts(*shop(20, 12), PARAMS) == {1: [], 2: []}
    assigned, interests = shop(40, 30)  # 1.33 times as many, but sure
    assert liked.facts(assigned, interests, SegmentParams(largest_p_value=0.05))[1] != []
    assert liked.facts(assigned, interests, SegmentParams(largest_p_value=0.05, least_index=1.5)) == {1: [], 2: []}


def test_a_single_segment_and_a_home_without_interests_have_nothing_to_tell():
    assigned, interests = shop(30, 5)
    assert liked.facts(assigned.assign(segment_id=1), interests, PARAMS) == {}
    assert liked.facts(assigned, interests.head(0), PARAMS) == {}


def test_a_liked_category_of_somebody_without_a_segment_and_one_said_twice_count_once_or_not():
    assigned, interests = shop(30, 5)
    more = pd.DataFrame({"customer_id": ["c00", "stranger"], "category": ["tea", "tea"]})
    assert liked.facts(assigned, pd.concat([interests, more]), PARAMS) == liked.facts(assigned, interests, PARAMS)
