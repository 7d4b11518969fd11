"""Does a vector foretell more than RFM? By one logistic regression, on the same customers, walking forward in time.

Whoever is judged at a cut-off learned only from cut-offs whose window was over by then: the regression its weights, the
decomposition its dimensions. A row holds what was known at the end of its day. So no judged window is seen before.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from huaxiang.judging import resampling
from huaxiang.judging.cost import Cost
from huaxiang.judging.resampling import Replicates
from huaxiang.judging.splits import Plan, require_known
from huaxiang.tracking.promotion import Interval
from spark_jobs.scores import classifiers
from spark_jobs.vectors import basis, portable
from spark_jobs.vectors.inputs import Known
from spark_jobs.vectors.params import VectorParams

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray

RFM = "rfm"


@dataclass(frozen=True)
class Task:
    """A target with the label of every row of what is known; `cutoffs` are those that can be used."""

    name: str
    title: str
    cutoffs: Sequence[int]
    plan: Plan
    label: Array


@dataclass(frozen=True)
class Trial:
    """What came of the recipes. `auc` by recipe, task and whether RFM stands beside the vector: a row per judged
    cut-off, a column per resample; `counts` are the dimensions chosen, `tried` what chose them."""

    deciding: Sequence[str]
    tasks: Sequence[Task]
    auc: Mapping[tuple[str, str, bool], Array]
    counts: Mapping[str, int]
    tried: Sequence[Mapping[str, Any]]
    cost: Mapping[str, Cost]
    customers: int

    def figure(self, recipe: str, task: str, is_beside_rfm: bool = False) -> Replicates:
        """AUC of a task, the mean over its cut-offs."""
        return resampling.replicates(self.auc[recipe, task, is_beside_rfm])

    def mean(self, recipe: str) -> Replicates:
        """The mean over the tasks that decide."""
        import numpy as np

        found = [self.figure(recipe, task) for task in self.deciding]
        return Replicates(
            float(np.mean([one.value for one in found])), np.mean([one.resamples for one in found], axis=0)
        )

    def difference(self, recipe: str, other: str) -> Interval:
        """recipe - other on the task where that is least sure: above 0 as a whole only where it is so on every task.

        RFM minus a vector is that the other way round, so RFM wins back where the vector's least sure task is lost.
        """
        if recipe == RFM:
            least = self.difference(other, recipe)
            return Interval(-least.value, -least.high, -least.low)
        found = [self.figure(recipe, task).minus(self.figure(other, task)).interval() for task in self.deciding]
        return min(found, key=lambda one: one.low)


# Recipe, task and whether RFM stands beside the vector -> cut-off -> a score per row of it.
_Scores = dict[tuple[str, str, bool], dict[int, "Array"]]


def trial(known: Known, tasks: Sequence[Task], params: VectorParams) -> Trial:
    """Choose the number of dimensions on the cut-offs before all judged ones, and judge every recipe on those."""
    import numpy as np
    import pandas as pd

    classifiers.load()
    deciding = [task for task in tasks if task.name in params.tasks]
    customers = pd.factorize(known.customers, sort=True)[0]
    drawn = resampling.draws(int(customers.max()) + 1, params.resamples, params.seed)
    cost = {recipe: Cost() for recipe in (RFM, *params.recipes)}

    def auc(scores: _Scores, weights: Array) -> dict[tuple[str, str, bool], Array]:
        return {key: _auc(found, labels[key[1]], known, customers, weights) for key, found in scores.items()}

    labels = {task.name: task.label for task in tasks}
    counts, tried = {}, []
    for recipe in params.recipes:
        early: dict[int, _Scores] = {count: {} for count in params.dimension_counts}
        with cost[recipe]:
            for cutoff in _early(deciding):
                able = [task for task in deciding if cutoff in task.plan.walked]
                _walk(known, able, cutoff, recipe, early, params, with_rfm=False)
        of_recipe = [
            {"recipe": recipe, "dimensions": count}
            | {f"auc_of_{key[1]}": round(float(np.nanmean(one)), 6) for key, one in auc(scores, drawn[:, :1]).items()}
            for count, scores in early.items()
        ]
        counts[recipe] = chosen(of_recipe)
        tried += of_recipe
    judged: _Scores = {}
    for cutoff in sorted({day for task in tasks for day in task.plan.judged}):
        able = [task for task in tasks if cutoff in task.plan.judged]
        for recipe in (RFM, *params.recipes):
            with cost[recipe]:
                _walk(known, able, cutoff, recipe, {counts.get(recipe, 0): judged}, params)
    return Trial([task.name for task in deciding], tasks, auc(judged, drawn), counts, tried, cost, len(drawn))


def chosen(tried: Sequence[Mapping[str, Any]]) -> int:
    """The number of dimensions with the best mean AUC, of equally good ones the smallest."""

    def mean(row: Mapping[str, Any]) -> float:
        found = [value for name, value in row.items() if name.startswith("auc_of_")]
        return round(sum(found) / len(found), 6) if found else 0.0

    return int(max(tried, key=lambda row: (mean(row), -row["dimensions"]))["dimensions"])


def _early(tasks: Sequence[Task]) -> list[int]:
    """The cut-offs that can be learned for and lie before all that are judged."""
    first = min(task.plan.judged[0] for task in tasks)
    return sorted({day for task in tasks for day in task.plan.walked if day < first})


def _walk(
    known: Known,
    tasks: Sequence[Task],
    cutoff: int,
    recipe: str,
    kept: Mapping[int, _Scores],
    params: VectorParams,
    with_rfm: bool = True,
) -> None:
    """Fit the recipe before a cut-off and keep its scores of the rows of it, per number of dimensions and task; where
    asked also those of the vector with RFM beside it."""
    import numpy as np

    longest = max(task.plan.window_days for task in tasks)
    is_learned, is_shown = known.day + longest <= cutoff, known.day == cutoff
    require_known(np.unique(known.day[is_learned]), cutoff, longest)
    learned, rows = known.where(is_learned), known.where(is_learned | is_shown)
    rfm = _rfm(learned, rows, params)
    model = basis.fit(learned, recipe, max(kept), params) if recipe != RFM else None
    whole = portable.vectors(model, rows.values(model)) if model else rfm
    for count, scores in kept.items():
        seen = {False: whole[:, :count]} if model else {False: rfm}
        if model and with_rfm:
            seen[True] = np.hstack([rfm, whole[:, :count]])
        for task in tasks:
            label = task.label[is_learned | is_shown]
            known_days = [day for day in task.cutoffs if day + task.plan.window_days <= cutoff]
            is_used = np.isin(rows.day, known_days)
            for is_beside_rfm, table in seen.items():
                found = foretold(table[is_used], label[is_used], table[rows.day == cutoff], params)
                scores.setdefault((recipe, task.name, is_beside_rfm), {})[cutoff] = found


def foretold(learned: Array, label: Array, shown: Array, params: VectorParams) -> Array:
    """Scores of the shown rows by a logistic regression of standardised columns: the same for RFM and for vectors."""
    import numpy as np
    from threadpoolctl import threadpool_limits

    means, deviations = learned.mean(axis=0), learned.std(axis=0)
    deviations[deviations <= 0] = 1.0
    levels, asked = (np.clip((rows - means) / deviations, -params.clip, params.clip) for rows in (learned, shown))
    with threadpool_limits(1):
        found: Array = asked @ classifiers.logistic(levels, label, params.scores).coef_[0]
    return found


def _rfm(learned: Known, rows: Known, params: VectorParams) -> Array:
    """The RFM figures on log scale, as the vectors' own inputs are."""
    typical = learned.figures.median().fillna(0.0)
    model = {
        "figures": [{"name": name, "typical": typical[name]} for name in learned.figures.columns],
        "columns": [],
    }
    return portable.levels(model, rows.values(model))


def _auc(scores: Mapping[int, Array], label: Array, known: Known, customers: Array, weights: Array) -> Array:
    """A row per cut-off, a column per column of `weights`, which has a row per customer."""
    import numpy as np

    places = {cutoff: known.day == cutoff for cutoff in sorted(scores)}
    return np.vstack(
        [resampling.auc(label[rows], scores[cutoff], weights[customers[rows]]) for cutoff, rows in places.items()]
    )
