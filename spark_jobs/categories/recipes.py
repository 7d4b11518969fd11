"""What says which category comes next: five plain recipes and a blend, each links between categories and rates.

A link says how much having bought one category speaks for another: the score of a category is the sum of the links
from what was bought, plus a weight times a rate that is the same for everybody. So each score falls apart into what
each bought category adds to it, which is what a reason names.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np

from huaxiang.errors import HuaxiangError
from spark_jobs.categories.inputs import Bought
from spark_jobs.categories.params import CategoryParams

Array = np.ndarray
POPULARITY, START_RATE, ITEM_BASED, SVD, EASE, BLEND = (
    "popularity", "start_rate", "item_based", "svd", "ease", "blend",
)  # fmt: skip
RECIPES = (POPULARITY, START_RATE, ITEM_BASED, SVD, EASE, BLEND)
RATES = "rates"
LINKED = {ITEM_BASED: ITEM_BASED, SVD: SVD, EASE: EASE, BLEND: EASE}  # recipe -> whose links it uses


@dataclass(frozen=True)
class Rates:
    """What is the same for everybody, a figure per category: how many customers bought it in the last
    `popularity_days`, and what share of all; and of those known `start_days` ago who had never bought it the share who
    did since."""

    recent_buyers: Array
    popularity: Array
    start_rate: Array


@dataclass(frozen=True)
class Fitted:
    """What was learned up to a day: the categories by name, links (from row to column) and rates; and how long it
    took."""

    categories: tuple[str, ...]
    links: Mapping[str, Array]
    rates: Rates
    seconds: Mapping[str, float]  # of rates and each of the links


def fit(bought: Bought, day: date, params: CategoryParams) -> Fitted:
    """Learn from what was bought up to the day. Raises HuaxiangError where there is too little."""
    from threadpoolctl import threadpool_limits

    categories = learned(bought, params)
    held = bought.table(bought.everybody, categories)
    if len(categories) < params.fewest_categories or held.any(axis=1).sum() < params.fewest_customers:
        raise HuaxiangError(
            f"categories: needs {params.fewest_categories} categories that {params.fewest_buyers} customers bought up "
            f"to {day}, and {params.fewest_customers} customers, and there are {len(categories)} and "
            f"{int(held.any(axis=1).sum())}: land more drops, or leave 'categories' out of models"
        )
    table = held[held.any(axis=1)].astype(float)
    made: dict[str, Callable[[], Array]] = {
        ITEM_BASED: lambda: item_based(table),
        SVD: lambda: svd(table, params.svd_rank),
        EASE: lambda: ease(table, params.ease_regularisation),
    }
    began = time.perf_counter()
    of_day = rates(bought, day, categories, params)
    seconds, links = {RATES: time.perf_counter() - began}, {}
    with threadpool_limits(1):
        for name, make in made.items():
            began = time.perf_counter()
            links[name] = make().round(params.decimals)
            seconds[name] = time.perf_counter() - began
    return Fitted(categories, links, of_day, seconds)


def learned(bought: Bought, params: CategoryParams) -> tuple[str, ...]:
    """The categories with enough buyers, at most the most bought `most_categories`, by name."""
    buyers = np.bincount(bought.category, minlength=len(bought.categories))
    order = np.argsort(-buyers, kind="stable")[: params.most_categories]
    return tuple(bought.categories[place] for place in sorted(order) if buyers[place] >= params.fewest_buyers)


def rates(bought: Bought, day: date, categories: tuple[str, ...], params: CategoryParams) -> Rates:
    """The rates of a day, among all customers."""
    today = (day - date(1970, 1, 1)).days
    customers = bought.everybody
    recently = bought.table(customers, categories, bought.last_on > today - params.popularity_days)
    held = bought.table(customers, categories)
    had = bought.table(customers, categories, bought.first_on <= today - params.start_days)
    were_there = had.any(axis=1)
    could = (~had[were_there]).sum(axis=0)
    began = (held & ~had)[were_there].sum(axis=0)
    everybody = max(int(held.any(axis=1).sum()), 1)
    return Rates(
        recent_buyers=recently.sum(axis=0),
        popularity=np.round(recently.sum(axis=0) / everybody, params.decimals),
        start_rate=np.round(began / np.maximum(could, 1), params.decimals),
    )


def item_based(table: Array) -> Array:
    """The cosine of who bought (Sarwar et al. 2001): common buyers over the root of the product of buyers."""
    root = np.sqrt(np.maximum(table.sum(axis=0), 1.0))
    return _without_diagonal(table.T @ table / root[:, None] / root[None, :])


def svd(table: Array, rank: int) -> Array:
    """The links of a truncated SVD (PureSVD; Cremonesi, Koren and Turrin 2010): from a history to its tastes and back
    to categories, each category over the fourth root of its buyers, so that what all buy does not fill the tastes."""
    root = np.maximum(table.sum(axis=0), 1.0) ** 0.25
    scaled = table / root
    _, found = np.linalg.eigh(scaled.T @ scaled)  # the right singular vectors, the largest last
    tastes = found.T[::-1][:rank]
    return _without_diagonal((tastes.T / root[:, None]) @ (tastes * root[None, :]))


def ease(table: Array, regularisation: float) -> Array:
    """EASE (Steck 2019), the closed form of a linear model that tells each category from the others."""
    gram = table.T @ table
    gram[np.diag_indices(len(gram))] += regularisation
    inverse = np.linalg.inv(gram)
    return _without_diagonal(-inverse / np.diag(inverse)[None, :])


def links_of(recipe: str, fitted: Fitted) -> Array | None:
    """Whose links a recipe uses, None for one that says the same to everybody."""
    return fitted.links[LINKED[recipe]] if recipe in LINKED else None


def weights(recipe: str, start_weight: float) -> tuple[float, float]:
    """Of the popularity and of the start rate beside the links."""
    return {POPULARITY: (1.0, 0.0), START_RATE: (0.0, 1.0), BLEND: (0.0, start_weight)}.get(recipe, (0.0, 0.0))


def _without_diagonal(links: Array) -> Array:
    found = links.copy()
    np.fill_diagonal(found, 0.0)
    return found
