"""The two charts of who stays: cohorts as a heat map, and the survival curve with its band."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from markupsafe import Markup

from huaxiang.report import words
from huaxiang.report.drawing import ACCENT, INK, MUTED, NARROW, SOFT, WARM, Spec, both
from huaxiang.report.retention import ALL, HIGHEST, LOWEST, Cohort, Stay, shown_months

_NAMES = {ALL: "everybody", LOWEST: "spent least on the first day", HIGHEST: "spent most on it"}


def heat_map(cohorts: Sequence[Cohort]) -> Markup:
    """Share active by months since the first order, a row per cohort; the darker the more."""
    months = range(1, shown_months(cohorts) + 1)
    values = [
        {
            "cohort": _row(cohort),
            "month": month,
            "share": cohort.active[month] / cohort.customers,
            "shown": f"{100 * cohort.active[month] / cohort.customers:.0f}",
            "said": f"{cohort.month:%B %Y}, month {month}: {cohort.active[month]:,} of {cohort.customers:,}",
        }
        for cohort in cohorts
        for month in months[: len(cohort.active) - 1]
    ]

    def spec(width: int) -> Spec:
        wide = width > NARROW
        x: Spec = {
            "field": "month",
            "type": "ordinal",
            "title": "months since the first order" if wide else "months since",
            "axis": {"labelAngle": 0, "orient": "top", "ticks": False, "domain": False, "grid": False},
            "scale": {"domain": list(months), "paddingInner": 0.06},
        }
        y: Spec = {
            "field": "cohort",
            "type": "nominal",
            "sort": [_row(cohort) for cohort in cohorts],
            "title": None,
            "axis": {"ticks": False, "domain": False, "labelPadding": 8, "minExtent": 122, "grid": False},
            "scale": {"paddingInner": 0.08},
        }
        return {
            "data": {"values": values},
            "width": min(width - 136, 74 * len(months)),
            "height": {"step": 27},
            "layer": [
                {
                    "mark": {"type": "rect", "color": SOFT, "cornerRadius": 2},
                    "encoding": {
                        "x": x,
                        "y": y,
                        "opacity": {
                            "field": "share",
                            "type": "quantitative",
                            "scale": {"range": [0.15, 1], "zero": False, "nice": False},
                            "legend": None,
                        },
                        "description": {"field": "said"},
                    },
                },
                {
                    "mark": {"type": "text", "fontSize": 12 if wide else 10, "color": INK, "aria": False},
                    "encoding": {"x": x, "y": y, "text": {"field": "shown"}},
                },
            ],
        }

    return both(spec, "Percent of each month's new customers who ordered so many months after their first order")


def survival(curves: Mapping[str, Sequence[Stay]]) -> Markup:
    """The share that has not lapsed by days since the first order, as steps, of all with its 95 % interval as a band.

    Beside it the thirds that spent least and most on the first day, where they are there.
    """
    named = {name: curves[group] for group, name in _NAMES.items() if group in curves}
    everybody, longest = curves[ALL], max(curve[-1].days for curve in curves.values())
    values = [{"group": name, **vars(stay)} for name, curve in named.items() for stay in _thinned(curve)]
    bottom = int(20 * min(stay.share for curve in named.values() for stay in curve)) / 20

    def spec(width: int) -> Spec:
        x: Spec = {
            "field": "days",
            "type": "quantitative",
            "title": "days since the first order",
            "axis": {"grid": False, "tickCount": 8 if width > NARROW else 4},
            "scale": {"domain": [0, longest], "nice": False},
        }
        y: Spec = {
            "type": "quantitative",
            "title": None,
            "axis": {"format": ".0%", "tickCount": 5, "minExtent": 40},
            "scale": {"domain": [bottom, 1], "nice": False, "clamp": True},
        }
        colour: Spec = {
            "field": "group",
            "scale": {"domain": list(named), "range": [ACCENT, WARM, MUTED][: len(named)]},
            "legend": {
                "orient": "top",
                "title": None,
                "columnPadding": 22,
                "labelLimit": 280,
                "columns": 3 if width > NARROW else 1,
            }
            if len(named) > 1
            else None,
        }
        return {
            "data": {"values": values},
            "width": width - 54,
            "height": 240 if width > NARROW else 200,
            "layer": [
                {
                    "transform": [{"filter": {"field": "group", "equal": _NAMES[ALL]}}],
                    "mark": {"type": "area", "color": SOFT, "interpolate": "step-after", "aria": False},
                    "encoding": {"x": x, "y": {**y, "field": "low"}, "y2": {"field": "high"}},
                },
                {
                    "mark": {"type": "line", "strokeWidth": 2, "interpolate": "step-after", "aria": False},
                    "encoding": {"x": x, "y": {**y, "field": "share"}, "color": colour},
                },
            ],
        }

    return both(
        spec,
        f"Share of customers never away for more than 91 days, from 100 % to {words.percent(everybody[-1].share)} "
        f"after {everybody[-1].days} days, with its 95 % interval",
    )


def _thinned(curve: Sequence[Stay]) -> Sequence[Stay]:
    """Of a long history every other day and so on, and the last one."""
    return (*curve[: -1 : len(curve) // 400 + 1], curve[-1])


def _row(cohort: Cohort) -> str:
    return f"{cohort.month:%b %Y} ({cohort.customers:,})"
