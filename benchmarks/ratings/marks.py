"""The marks of MovieLens 100K as landing accepted them, in whole numbers and in the order of the published file."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from huaxiang.settings import PROJECT, Run, Settings, load_settings

if TYPE_CHECKING:
    import pandas as pd
    import scipy.sparse

Array = np.ndarray
SOURCE, LAST_DAY = "movielens_100k", date(1998, 4, 22)
CONFIG = PROJECT / "homes" / SOURCE / "huaxiang.yml"


@dataclass(frozen=True)
class Marks:
    """One place per mark: numbers of who gave it and to what, the mark (1 to 5), and when (seconds since 1970)."""

    user: Array
    item: Array
    mark: Array
    at: Array

    @property
    def shape(self) -> tuple[int, int]:
        return int(self.user.max()) + 1, int(self.item.max()) + 1

    def of(self, places: Array) -> Marks:
        """Those at the places (positions, or true and false)."""
        return Marks(self.user[places], self.item[places], self.mark[places], self.at[places])

    def matrix(self, shape: tuple[int, int], values: Array) -> scipy.sparse.csr_matrix:
        """Users x items, one of `values` at each place where a mark is."""
        import scipy.sparse

        return scipy.sparse.csr_matrix((values, (self.user, self.item)), shape)


@dataclass(frozen=True)
class Site:
    """All marks, the genres of each film, and what each member declared (age_band, gender, occupation)."""

    marks: Marks
    genres: Array
    declared: pd.DataFrame


def landed(folder: Path) -> Site:
    """Play the film site into a home in `folder`, land it, and read what was accepted.

    Raises HuaxiangError when the data set is not installed or landing refuses a record.
    """
    import os

    from huaxiang import landing
    from huaxiang.simulate import simulate

    os.environ |= {"HUAXIANG_CONFIG": str(CONFIG), "HUAXIANG_HOME": str(folder)}
    settings = load_settings()
    simulate(settings, SOURCE, LAST_DAY)
    landing.land(settings, Run(LAST_DAY, LAST_DAY))
    return read(settings)


def read(settings: Settings) -> Site:
    """What the home's landing accepted; users and films are numbered by rising id."""
    import duckdb

    def table(name: str, columns: str, order: str) -> pd.DataFrame:
        files = settings.home.landing / SOURCE / name / "*" / "*.parquet"
        return duckdb.sql(f"select {columns} from read_parquet('{files}') order by {order}").df()

    rows = table("reviews", "customer_id, product_id, rating, epoch(reviewed_at) as at", "review_id::int")
    films = table("products", "product_id, product_type", "product_id::int").set_index("product_id")
    declared = table("customers", "customer_id, age_band", "customer_id::int").set_index("customer_id")
    answers = table("surveys", "customer_id, question_id, answer", "all").pivot(
        index="customer_id", columns="question_id", values="answer"
    )
    marks = Marks(
        declared.index.get_indexer(rows["customer_id"]),
        films.index.get_indexer(rows["product_id"]),
        rows["rating"].to_numpy(dtype=float),
        rows["at"].to_numpy(dtype=np.int64),
    )
    return Site(marks, films["product_type"].fillna("").to_numpy(dtype=str), declared.join(answers))
