"""Eight classifiers of scikit-learn, each fitted to figures and labels; none of them keeps a customer's row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from spark_jobs.scores.params import ScoreParams

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray


def load() -> None:
    """Import what the fits need, so that the first of them is not charged for it."""
    import sklearn.cluster
    import sklearn.ensemble
    import sklearn.linear_model
    import sklearn.naive_bayes
    import sklearn.neighbors
    import sklearn.neural_network
    import sklearn.svm
    import sklearn.tree  # noqa: F401


def logistic(levels: Array, label: Array, params: ScoreParams) -> Any:
    from sklearn.linear_model import LogisticRegression

    penalty = 1 / (params.penalty * len(label))
    return LogisticRegression(C=penalty, solver="newton-cholesky", max_iter=200).fit(levels, label)


def tree(values: Array, label: Array, params: ScoreParams) -> Any:
    """The share of events in each leaf, drawn to the share in all rows as by so many rows with `tree_leaf_events`.

    A leaf without an event is not one where there can be none; so many events for rare ones are what Zadrozny and
    Elkan found ("Obtaining calibrated probability estimates from decision trees and naive Bayesian classifiers", 2001).
    """
    from sklearn.tree import DecisionTreeClassifier

    fitted = DecisionTreeClassifier(
        max_leaf_nodes=params.tree_leaves, min_samples_leaf=params.tree_leaf_rows, random_state=params.seed
    ).fit(values, label)
    shares, rows = fitted.tree_.value, fitted.tree_.n_node_samples[:, None, None]
    prior = params.tree_leaf_events / label.mean()
    shares[:] = (shares * rows + shares[0] * prior) / (rows + prior)
    return fitted


def forest(values: Array, label: Array, params: ScoreParams) -> Any:
    from sklearn.ensemble import RandomForestClassifier

    return RandomForestClassifier(
        params.forest_trees,
        min_samples_leaf=params.forest_leaf_rows,
        max_features=params.forest_column_share,
        max_samples=0.5,
        random_state=params.seed,
        n_jobs=1,
    ).fit(values, label)


def boosting(values: Array, label: Array, params: ScoreParams) -> Any:
    from sklearn.ensemble import HistGradientBoostingClassifier

    return HistGradientBoostingClassifier(
        learning_rate=params.learning_rate,
        max_iter=params.tree_count,
        max_leaf_nodes=params.leaf_count,
        min_samples_leaf=params.least_leaf_rows,
        l2_regularization=params.leaf_penalty,
        early_stopping=False,
        random_state=params.seed,
    ).fit(values, label)


def svm(levels: Array, label: Array, params: ScoreParams) -> Any:
    """A linear one: a kernel's machine would keep customers' rows as its support vectors.

    Earlier fits, on fewer rows and events, calibrate later ones, so the scores of all have to be on one scale. Hence
    both outcomes weigh the same, whatever their shares, and together as much as so many independent rows (Kish,
    "Survey Sampling", 1965): few events are shrunk as few rows are.
    """
    from sklearn.svm import LinearSVC

    share = label.mean()
    worth = 4 * share * (1 - share)  # of a row, 1 where both outcomes are as frequent
    return LinearSVC(C=params.svm_cost * worth, class_weight="balanced", dual=False, random_state=params.seed).fit(
        levels, label
    )


def bayes(levels: Array, label: Array, params: ScoreParams) -> Any:
    """Gaussian: the figures are standardised and, where skewed, logarithms."""
    from sklearn.naive_bayes import GaussianNB

    return GaussianNB(var_smoothing=params.bayes_smoothing).fit(levels, label)


def neighbours(levels: Array, label: Array, params: ScoreParams) -> Any:
    """The mean share of events among the nearest groups of alike rows.

    Neighbours that are customers would be customers' rows inside a model. The groups are those of k-means; one of too
    few rows is nobody's neighbour.
    """
    import numpy as np
    from sklearn.cluster import MiniBatchKMeans
    from sklearn.neighbors import KNeighborsRegressor

    count = max(params.neighbours, min(params.neighbour_groups, len(label) // (2 * params.neighbour_rows_least)))
    grouped = MiniBatchKMeans(count, n_init=1, batch_size=4096, max_iter=10, random_state=params.seed).fit(levels)
    sizes = np.bincount(grouped.labels_, minlength=count)
    kept = sizes >= params.neighbour_rows_least
    shares = np.bincount(grouped.labels_, weights=label, minlength=count)[kept] / sizes[kept]
    return KNeighborsRegressor(min(params.neighbours, int(kept.sum())), algorithm="brute").fit(
        grouped.cluster_centers_[kept], shares
    )


def net(levels: Array, label: Array, params: ScoreParams) -> Any:
    """One hidden layer, strongly shrunk."""
    import warnings

    from sklearn.exceptions import ConvergenceWarning
    from sklearn.neural_network import MLPClassifier

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # the number of rounds is a parameter, not a failure
        fitted = MLPClassifier(
            (params.net_units,),
            alpha=params.net_penalty,
            learning_rate_init=params.net_rate,
            max_iter=params.net_rounds,
            random_state=params.seed,
        ).fit(levels, label)
    del fitted._optimizer  # only training needs it
    return fitted
