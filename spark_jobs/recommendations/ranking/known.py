"""All that is known of products: of the day, and learned."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from .arrays import positions

Array = np.ndarray
NEVER = 1000.0  # days


@dataclass(frozen=True)
class Products:
    """All that is known of products; their positions in `ids` name them everywhere else.

    Of the day, one per product: `popularity` counts recent buyers, `late_buyers` those of the last 28 days,
    `week_buyers` those of the last 7, `new_buyers` those of 28 who never had before, `starting` is their share of
    the buyers ever, the usual one where there are few; `repeats` is the share of buyers who bought again, `returning`
    that of the earlier ones who did in the last 28 days, `gaps` are the mean days between orders (NEVER where nobody
    bought twice), `kinds` says which are of one type (-1: not known).
    Learned, and empty in a recipe that does not look at it: `learned` are the positions that have ALS `factors`, and
    `svd_from` and `svd_to`; `paired` those that have `neighbours` (positions) with `similarities`; `linked` those that
    have `links` (positions) with `link_weights`, by EASE.
    """

    ids: Array
    popularity: Array
    late_buyers: Array
    week_buyers: Array
    new_buyers: Array
    starting: Array
    repeats: Array
    returning: Array
    gaps: Array
    kinds: Array
    learned: Array
    factors: Array
    svd_from: Array
    svd_to: Array
    paired: Array
    neighbours: Array
    similarities: Array
    linked: Array
    links: Array
    link_weights: Array

    def to_bytes(self) -> bytes:
        """As an npz file; equal bytes for equal products."""
        file = io.BytesIO()
        np.savez_compressed(file, **self.__dict__)
        return file.getvalue()

    @staticmethod
    def from_bytes(content: bytes) -> Products:
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            return Products(**{name: arrays[name] for name in arrays.files})

    def same_as(self, other: Products) -> bool:
        """Whether all that is known is equal: then so are the candidates."""
        return all(np.array_equal(values, getattr(other, name)) for name, values in self.__dict__.items())

    def parts(self, weights: Mapping[str, float]) -> Products:
        """Only what a recipe with these weights looks at."""
        looked_at = {name for name, weight in weights.items() if weight}
        names: set[str] = set()
        if not looked_at & {"als", "svd"}:
            names |= {"learned"}
        names |= set() if "als" in looked_at else {"factors"}
        names |= set() if "svd" in looked_at else {"svd_from", "svd_to"}
        names |= set() if "item_based" in looked_at else {"paired", "neighbours", "similarities"}
        names |= set() if "ease" in looked_at else {"linked", "links", "link_weights"}
        return replace(self, **{name: getattr(self, name)[:0] for name in names})

    def on(self, of_day: Mapping[str, Array]) -> Products:
        """The same factors and neighbours for another day's products, all that `of_day` says of them; what is not among
        them is forgotten."""
        place = positions(of_day["ids"], self.ids)
        learned, paired, linked = place[self.learned], place[self.paired], place[self.linked]
        neighbours, links = place[self.neighbours[paired >= 0]], place[self.links[linked >= 0]]
        is_kept = learned >= 0
        return Products(
            **of_day,
            learned=learned[is_kept],
            factors=_kept(self.factors, is_kept),
            svd_from=_kept(self.svd_from, is_kept),
            svd_to=_kept(self.svd_to, is_kept),
            paired=paired[paired >= 0],
            neighbours=neighbours.clip(min=0),
            similarities=np.where(neighbours < 0, np.float32(0), self.similarities[paired >= 0]),
            linked=linked[linked >= 0],
            links=links.clip(min=0),
            link_weights=np.where(links < 0, np.float32(0), self.link_weights[linked >= 0]),
        )


def _kept(values: Array, rows: Array) -> Array:
    """These rows; of a part that a recipe does not look at, nothing."""
    return values[rows] if len(values) == len(rows) else values
