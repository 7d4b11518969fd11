"""Do segment cards describe their segments? `python -m benchmarks.cards`, on the current release of HUAXIANG_HOME.

Cards are written from a random half of the customers. A second rater, who knows only the cards' figures, is shown the
segments of the other half without their names, and says for each the card that is nearest: of every figure on a card
the difference to the segment's own, over the figure's spread among all customers, on average. Chance matches one of k.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from huaxiang.release.store import current
from huaxiang.settings import load_settings
from spark_jobs.segments import inputs, liked, naming
from spark_jobs.segments.params import SegmentParams

if TYPE_CHECKING:
    import pandas as pd

Cards = dict[int, list[naming.Fact]]
PARAMS = SegmentParams()
_HALVES, _SEED = 50, 28


def main() -> None:
    """Print how many segments are matched, and how many would be by chance."""
    release = current(load_settings())
    assert release is not None, "there is no release: run 'huaxiang run' first"
    customers, interests = read(release.path, release.as_of)
    rng, matched = np.random.default_rng(_SEED), []
    segments = sorted(set(customers["segment_id"]))
    for _ in range(_HALVES):
        is_first = rng.permutation(len(customers)) % 2 == 0
        cards = written(customers[is_first], interests)
        shown = customers[~is_first]
        matched.append(np.mean([rated(cards, shown, interests, segment) == segment for segment in segments]))
    chance = 1 / len(segments)
    said = f"{np.mean(matched):.1%} of segments matched, {np.mean(matched) / chance:.1f} times chance ({chance:.1%})"
    print(f"{_HALVES} random halves of {len(customers):,} customers, {len(segments)} segments: {said}")


def read(release: Path, as_of: date) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The released customers with features and segment, and their interests."""
    import pandas as pd

    features = inputs.read_table(release / inputs.FEATURES, as_of)
    segments = pd.read_parquet(release / inputs.CUSTOMERS, columns=["customer_id", "segment_id"])
    return features.merge(segments, on="customer_id"), pd.read_parquet(release / inputs.INTERESTS)


def written(customers: pd.DataFrame, interests: pd.DataFrame) -> Cards:
    """The facts of every segment, as a release tells them."""
    facts = naming.facts(customers, customers["segment_id"].to_numpy(), PARAMS)
    preferred = liked.facts(customers, interests, PARAMS)
    return {segment: [*found, *preferred.get(segment, [])] for segment, found in facts.items()}


def rated(cards: Cards, shown: pd.DataFrame, interests: pd.DataFrame, segment: int) -> int | None:
    """The card nearest to a segment whose number is not looked at; None where no card says anything."""
    inside = shown[shown["segment_id"] == segment]
    away = {number: _away(facts, inside, shown, interests) for number, facts in cards.items() if facts}
    return min(away, key=lambda number: (away[number], number)) if away else None


def _away(facts: list[naming.Fact], inside: pd.DataFrame, shown: pd.DataFrame, interests: pd.DataFrame) -> float:
    distances = []
    for fact in facts:
        if fact.feature == liked.FEATURE:
            who = interests.loc[interests["category"] == fact.word, "customer_id"]
            found, spread = inside["customer_id"].isin(who).mean(), shown["customer_id"].isin(who).std()
        else:
            found, spread = inside[fact.feature].mean(), shown[fact.feature].std()
        distances.append(abs(found - fact.segment_mean) / spread if spread > 0 else 0.0)
    return float(np.mean(distances))


if __name__ == "__main__":
    main()
