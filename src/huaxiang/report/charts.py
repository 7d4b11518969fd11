"""The report's charts as Vega-Lite specifications; `drawing` makes them inline SVG."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from markupsafe import Markup

from huaxiang.report import words
from huaxiang.report.days import Day
from huaxiang.report.drawing import ACCENT, LINE, MUTED, NARROW, SOFT, WARM, Spec, both

_TIMES = "datum.value == 1 ? 'average' : datum.value < 1 ? '÷' + 1 / datum.value : '×' + datum.value"


def daily(days: list[Day], field: str, title: str, axis: str) -> Markup:
    """One figure per day as thin bars with its 7-day mean as a line."""
    values = [
        {
            "day": str(day.day),
            "value": float(getattr(day, field)),
            "mean": mean,
            "said": f"{words.weekday(day.day)}: {getattr(day, field):,}",
        }
        for day, mean in zip(days, rolling_means([float(getattr(day, field)) for day in days]), strict=True)
    ]
    span = (days[-1].day - days[0].day).days + 1
    after = days[-1].day + timedelta(days=1)

    def spec(width: int) -> Spec:
        x: Spec = {
            "field": "day",
            "type": "temporal",
            "title": None,
            "scale": {"domain": [str(days[0].day), str(after)]},
            "axis": {"grid": False, "format": "%b" if span > 62 else "%d %b"},
        }
        if span > 62:
            x["axis"]["tickCount"] = {"interval": "month", "step": 1 if width > 600 else 2}
        y: Spec = {"type": "quantitative", "title": None, "axis": {"format": axis, "tickCount": 4, "minExtent": 48}}
        bar_width = max(0.6, min(24.0, (width - 62) / span * 0.7))
        return {
            "data": {"values": values},
            "width": width - 62,
            "height": 150,
            "layer": [
                {
                    "mark": {"type": "bar", "width": round(bar_width, 2), "color": SOFT},
                    "encoding": {"x": x, "y": {**y, "field": "value"}, "description": {"field": "said"}},
                },
                {
                    "transform": [{"filter": "isValid(datum.mean)"}],
                    "mark": {"type": "line", "color": ACCENT, "strokeWidth": 2, "aria": False},
                    "encoding": {"x": x, "y": {**y, "field": "mean"}},
                },
            ],
        }

    return both(
        spec, f"{title} for each day, {words.day(days[0].day)} to {words.day(days[-1].day)}, with the mean of 7 days"
    )


def against_average(name: str, ratios: list[tuple[str, float, str]], limit: float) -> Markup:
    """One segment against the average customer: a bar per feature, right of the middle where it has more.

    `ratios` are (feature, segment mean / overall mean, how it is said); bars end at `limit` times the average.
    """
    values = [
        {
            "feature": feature,
            "ratio": min(max(ratio, 1 / limit), limit),
            "said": said,
            "shown": f"{ratio:.2f} ×" if ratio < 10 else f"{ratio:.0f} ×",
            "side": "accent" if ratio >= 1 else "warm",
        }
        for feature, ratio, said in ratios
    ]

    def spec(width: int) -> Spec:
        y = {
            "field": "feature",
            "type": "nominal",
            "sort": None,
            "title": None,
            "axis": {"labelLimit": 200, "ticks": False, "domain": False, "labelPadding": 8, "minExtent": 170},
        }
        x = {
            "field": "ratio",
            "type": "quantitative",
            "title": None,
            "scale": {"type": "log", "base": 2, "domain": [1 / limit, limit]},
            "axis": {
                "values": [1 / limit, 0.5, 1, 2, limit] if width > NARROW else [1 / limit, 1, limit],
                "labelExpr": _TIMES,
                "orient": "top",
            },
        }
        return {
            "data": {"values": values},
            "width": width - 228,
            "height": {"step": 24},
            "layer": [
                {
                    "mark": {"type": "bar", "height": 12, "cornerRadius": 2},
                    "encoding": {
                        "y": y,
                        "x": x,
                        "x2": {"datum": 1},
                        "color": {
                            "field": "side",
                            "scale": {"domain": ["accent", "warm"], "range": [ACCENT, WARM]},
                            "legend": None,
                        },
                        "description": {"field": "said"},
                    },
                },
                {
                    "mark": {"type": "text", "align": "left", "fontSize": 11, "color": MUTED, "aria": False},
                    "encoding": {"y": y, "x": {"value": width - 220}, "text": {"field": "shown"}},
                },
            ],
        }

    return both(spec, f"{name} against the average customer", wide=520, narrow=NARROW)


def lines(rows: list[dict[str, float | None]], x: str, y: dict[str, str], chosen: float, label: str) -> Markup:
    """Some measures over a whole number (such as k), with the chosen one marked."""
    values = [
        {"x": row[x], "y": row[field], "measure": name, "said": f"{x} = {row[x]:g}: {name} {row[field]:.2f}"}
        for field, name in y.items()
        for row in rows
        if row.get(field) is not None
    ]
    names = list(dict.fromkeys(value["measure"] for value in values))

    def spec(width: int) -> Spec:
        colours = [ACCENT, WARM, MUTED][: len(names)]
        encoding: Spec = {
            "x": {
                "field": "x",
                "type": "ordinal",
                "title": "number of segments",
                "axis": {"labelAngle": 0, "grid": False},
            },
            "y": {
                "field": "y",
                "type": "quantitative",
                "title": None,
                "axis": {"tickCount": 4},
                "scale": {"domainMin": 0},
            },
            "color": {
                "field": "measure",
                "scale": {"domain": names, "range": colours},
                "legend": {"orient": "top", "title": None, "columnPadding": 22},
            },
        }
        return {
            "data": {"values": values},
            "width": width - 50,
            "height": 170,
            "layer": [
                {
                    "data": {"values": [{"x": chosen}]},
                    "mark": {"type": "rule", "color": LINE, "strokeWidth": 22, "aria": False},
                    "encoding": {"x": encoding["x"]},
                },
                {"mark": {"type": "line", "strokeWidth": 2, "aria": False}, "encoding": encoding},
                {
                    "mark": {"type": "point", "filled": True, "size": 50, "opacity": 1},
                    "encoding": {**encoding, "description": {"field": "said"}},
                },
            ],
        }

    return both(spec, label, wide=520, narrow=NARROW)


@dataclass(frozen=True)
class Whisker:
    """A figure with its 95 % interval (None where there is none), and how it is said."""

    name: str
    value: float
    low: float | None
    high: float | None
    said: str
    is_model: bool


def intervals(rows: list[Whisker], label: str, unit: str = "") -> Markup:
    """Some figures under each other on one scale: a dot with a whisker from the low to the high end of its interval.

    `unit` follows each figure of the axis.
    """
    values = [
        {
            "name": row.name,
            "value": row.value,
            "low": row.value if row.low is None else row.low,
            "high": row.value if row.high is None else row.high,
            "shown": row.said,
            "said": f"{row.name}: {row.said}",
            "tone": "model" if row.is_model else "other",
        }
        for row in rows
    ]
    low, high = min(float(row["low"]) for row in values), max(float(row["high"]) for row in values)
    room = 0.12 * (high - low) or 0.05 * abs(high) or 1.0
    names = max(78, 7 * max(len(row.name) for row in rows))  # pixels that the names at the left need
    colour: Spec = {
        "field": "tone",
        "scale": {"domain": ["model", "other"], "range": [ACCENT, MUTED]},
        "legend": None,
    }

    def spec(width: int) -> Spec:
        y: Spec = {
            "field": "name",
            "type": "nominal",
            "sort": None,
            "title": None,
            "axis": {"ticks": False, "domain": False, "labelPadding": 8, "minExtent": names},
        }
        x: Spec = {
            "type": "quantitative",
            "title": None,
            "scale": {"zero": False, "nice": False, "domain": [low - room, high + room]},
            "axis": {"tickCount": 4, "labelExpr": f"datum.label + '{unit}'"},
        }
        return {
            "data": {"values": values},
            "width": width - 72 - names,
            "height": {"step": 26},
            "layer": [
                {
                    "mark": {"type": "rule", "strokeWidth": 2, "aria": False},
                    "encoding": {"y": y, "x": {**x, "field": "low"}, "x2": {"field": "high"}, "color": colour},
                },
                {
                    "mark": {"type": "point", "filled": True, "size": 90, "opacity": 1},
                    "encoding": {
                        "y": y,
                        "x": {**x, "field": "value"},
                        "color": colour,
                        "description": {"field": "said"},
                    },
                },
                {
                    "mark": {"type": "text", "align": "left", "fontSize": 12, "color": MUTED, "aria": False},
                    "encoding": {"y": y, "x": {"value": width - 62 - names}, "text": {"field": "shown"}},
                },
            ],
        }

    return both(spec, label, wide=520, narrow=NARROW)


def rolling_means(values: list[float], window: int = 7) -> list[float | None]:
    """The mean of each value and the ones before it; None until the window is full."""
    return [sum(values[end - window : end]) / window if end >= window else None for end in range(1, len(values) + 1)]
