"""What the benchmark of interests counts, by hand."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pandas as pd

from benchmarks import interests

DAY = date(2024, 6, 1)


def test_the_half_life_is_read_from_the_macro():
    assert interests.half_life() in interests._HALF_LIVES


def test_figures_count_the_best_categories_with_a_score_and_of_equals_the_first():
    scores = np.array([[3.0, 1.0, 2.0, 1.0], [0.0, 0.0, 5.0, 0.0]])
    bought = np.array([[False, True, False, True], [True, True, False, True]])
    found = interests.figures(scores, bought, top=3)
    # 0, 2 and 1, of which the last is bought; the second customer has one interest alone, and did not buy it.
    assert found["hit"].tolist() == [1.0, 0.0]
    assert found["precision"].tolist() == [1 / 3, 0.0]


def test_a_cut_off_sees_the_364_days_up_to_it_and_judges_the_28_after():
    """Of six categories tea was bought often and long ago, the others once and of late; tea is bought again."""

    def lines(category: str, ago: int, count: int = 1, customer: str = "c1") -> tuple[str, str, int, int]:
        return customer, category, count, ((DAY - timedelta(days=ago)) - date(1970, 1, 1)).days

    rows = [lines("tea", 300, 4), *(lines(name, 1) for name in ("a", "b", "c", "d", "e")), lines("tea", -28)]
    rows += [lines("old", 364, 9), lines("old", -5), lines("b", -29)]  # too long ago; and too late
    rows += [lines("z", 1, customer="c2")]  # bought nothing after: not judged
    frame = pd.DataFrame(rows, columns=["customer", "category", "purchases", "day"])
    found = interests.judge(frame, [DAY])
    assert found.who.tolist() == [0]
    hits = {way: of["hit"].tolist() for way, of in found.found.items()}
    # 4 x .5 ** (300 / 7) is next to nothing, 4 x .5 ** (300 / 182) = 1.3 is the most.
    assert (hits["half-life 7"], hits["half-life 182"], hits["undecayed"]) == ([0.0], [1.0], [1.0])
    assert found.found["undecayed"]["precision"].tolist() == [0.2]
    assert hits["popularity"] == [0.0]  # of the last 91 days
