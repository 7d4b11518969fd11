"""Who stays, worked out anew: `python -m benchmarks.staying`, on the warehouse of HUAXIANG_HOME as of its last run.

The survival curve beside SciPy's of the same stays, also of those who came in the first month and of those who came
later; and what of BG/NBD foretells who orders nothing in 28 days: its rates, or its P(alive).
"""

from __future__ import annotations

import argparse
import warnings
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from huaxiang.settings import load_settings

if TYPE_CHECKING:
    import duckdb
    import numpy as np

    Array = np.ndarray

_DAY, _WINDOW, _CUTOFFS = 182, 28, 6
_ORDER_DAYS = """
select customer_id, list(ordered_on order by ordered_on) as days from features.customer_days
where order_count > 0 and ordered_on <= $day group by customer_id order by customer_id
"""
_SUMMARIES = """
select sum(order_count)::double as orders, ($day - max(ordered_on))::double as recency_days,
    ($day - min(ordered_on))::double as tenure_days,
    customer_id not in (
        select customer_id from features.customer_days
        where order_count > 0 and ordered_on > $day and ordered_on <= $day + $window
    ) as is_away
from features.customer_days where order_count > 0 and ordered_on <= $day group by customer_id order by customer_id
"""


def main() -> None:
    """Print the curves and the figures of BG/NBD."""
    import duckdb

    parser = argparse.ArgumentParser(prog="python -m benchmarks.staying", description=__doc__)
    parser.add_argument("--as-of", type=date.fromisoformat, default=date(2017, 11, 30))
    as_of = parser.parse_args().as_of
    with duckdb.connect(str(load_settings().home.duckdb_file), read_only=True) as connection:
        print("\n".join([*curves(connection, as_of), *alive(connection, as_of)]))


def curves(connection: duckdb.DuckDBPyConnection, as_of: date) -> list[str]:
    """How far the released curve is from SciPy's, and the share that stays in the first month's and later cohorts."""
    import numpy as np

    customers = [days for _, days in connection.execute(_ORDER_DAYS, {"day": as_of}).fetchall()]
    stays = np.array([stay(days, as_of) for days in customers])
    released = connection.execute(
        "select days_since_first_order, staying_share, staying_share_low, staying_share_high"
        " from features.survival_curve where as_of = $day and first_day_spend = 'all'",
        {"day": as_of},
    ).fetchall()
    curve, low, high = _kaplan_meier(stays)
    away = max(
        abs(one - other(day))
        for day, *figures in released
        for one, other in zip(figures, (curve, low, high), strict=True)
        if one is not None
    )
    first = min(days[0] for days in customers)
    in_first = np.array([(days[0].year, days[0].month) == (first.year, first.month) for days in customers])
    lines = [f"survival curve: {len(released)} days, at most {away:.0e} from SciPy's"]
    for name, rows in (("first month", in_first), ("later", ~in_first)):
        share, least, most = (of(_DAY) for of in _kaplan_meier(stays[rows]))
        lines.append(
            f"{name}: {100 * share:.1f} % [{100 * least:.1f}, {100 * most:.1f}] of {rows.sum():,} stay {_DAY} days"
        )
    return lines


def stay(days: list[date], as_of: date) -> tuple[int, bool]:
    """Days until the first lapse, or until `as_of`, and whether it was a lapse."""
    for day, following in zip(days, [*days[1:], None], strict=True):
        lapse = day + timedelta(92)
        if lapse <= as_of and (following is None or following >= lapse):
            return (lapse - days[0]).days, True
    return (as_of - days[0]).days, False


def alive(connection: duckdb.DuckDBPyConnection, as_of: date) -> list[str]:
    """AUC of BG/NBD's chance of no order, of its P(alive) and of recency, mean over cut-offs; its chance to stop."""
    import numpy as np
    from sklearn.metrics import roc_auc_score

    from spark_jobs.scores import lifetimes, portable
    from spark_jobs.scores.params import ScoreParams

    found, stops = [], []
    for number in range(_CUTOFFS, 0, -1):
        day = as_of - timedelta(_WINDOW * number)
        fitted = lifetimes.fit(_summaries(connection, day - timedelta(_WINDOW))[0], np.zeros(0), ScoreParams())
        figures, is_away = _summaries(connection, day)
        model: dict[str, Any] = {"bgnbd": vars(fitted)}
        # In a window without end only those who have stopped place no order.
        scores = [portable.silence_logits(model | {"window_days": days}, figures) for days in (_WINDOW, 1e12)]
        found.append([roc_auc_score(is_away, one) for one in (*scores, figures[:, 1])])
        stops.append(fitted.a / (fitted.a + fitted.b))
    silent, stopped, recency = np.mean(found, axis=0)
    return [
        f"AUC over {_CUTOFFS} cut-offs: no order {silent:.4f}, P(alive) {stopped:.4f}, recency {recency:.4f}",
        f"mean chance to stop after an order: {min(stops):.4f} to {max(stops):.4f}",
    ]


def _summaries(connection: duckdb.DuckDBPyConnection, day: date) -> tuple[Array, Array]:
    import numpy as np

    rows = connection.execute(_SUMMARIES, {"day": day, "window": _WINDOW}).fetchnumpy()
    return np.column_stack([rows[name] for name in ("orders", "recency_days", "tenure_days")]), rows["is_away"]


def _kaplan_meier(stays: Array) -> tuple[Any, Any, Any]:
    """The curve and both ends of its interval, as functions of the day."""
    from scipy.stats import CensoredData, ecdf

    lapsed = stays[:, 1] > 0
    curve = ecdf(CensoredData(uncensored=stays[lapsed, 0], right=stays[~lapsed, 0])).sf
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # where nobody has lapsed yet there is none
        interval = curve.confidence_interval(method="log-log")
    return curve.evaluate, interval.low.evaluate, interval.high.evaluate


if __name__ == "__main__":
    main()
