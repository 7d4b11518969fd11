"""Vega-Lite specifications drawn to inline SVG when a page is built, so that pages need no chart library.

Each chart is drawn for a wide and a narrow column; the style sheet shows the one that fits. Colours are those of the
style sheet, so that one drawing serves light and dark.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from markupsafe import Markup

Spec = dict[str, Any]

WIDE, NARROW = 1112, 350

# Vega writes colours as they are given; these stand for the style sheet's colours of the same names.
ACCENT, SOFT, INK, MUTED, LINE, WARM = "#0a0a01", "#0a0a02", "#0a0a03", "#0a0a04", "#0a0a05", "#0a0a06"
_CLASSES = {ACCENT: "accent", SOFT: "soft", INK: "ink", MUTED: "muted", LINE: "line", WARM: "warm"}


def both(spec: Callable[[int], Spec], label: str, wide: int = WIDE, narrow: int = NARROW) -> Markup:
    """The chart drawn for a wide and a narrow column. `label` says in one sentence what it shows."""
    return Markup("").join(
        Markup('<div class="chart {}">{}</div>').format(name, _drawn(spec(width), label))
        for name, width in (("wide", wide), ("narrow", narrow))
    )


def _drawn(spec: Spec, label: str) -> Markup:
    import vl_convert

    full = {"$schema": "https://vega.github.io/schema/vega-lite/v5.json", "background": None, "config": _CONFIG, **spec}
    return tidied(vl_convert.vegalite_to_svg(full), label)


def tidied(svg: str, label: str) -> Markup:
    """Vega's SVG as an image with a name: what a mark describes becomes its tooltip, colours become classes."""
    size = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', svg)
    svg = re.sub(r"^<svg [^>]*>", "", svg).removesuffix("</svg>")
    svg = re.sub(
        r'<(path|text|rect|line)([^>]*?) aria-label="([^"]*)"([^>]*?)/>', r"<\1\2\4><title>\3</title></\1>", svg
    )
    svg = re.sub(r' (?:aria-\w+|role|pointer-events|font-family|text-rendering)="[^"]*"', "", svg)
    svg = re.sub(r'<path class="(?:background|foreground)" d="[^"]*"(?: display="none")?(?: stroke="#ddd")?/>', "", svg)
    svg = re.sub(r' class="[^"]*"', "", svg)
    svg = re.sub(r' (fill|stroke)="(#0a0a0\d)"', lambda found: f' class="{found[1]}-{_CLASSES[found[2]]}"', svg)
    svg = re.sub(r"<[^>]*>", _rounded, svg)
    width, height = (size[1], size[2]) if size else ("100", "100")
    frame = Markup('<svg viewBox="0 0 {0} {1}" width="{0}" height="{1}" role="img" aria-label="{2}">{3}</svg>')
    return frame.format(width, height, label, Markup(svg))  # noqa: S704 (Vega escapes the text it draws)


def _rounded(tag: re.Match[str]) -> str:
    """Places to a tenth of a pixel: half the size, no difference to the eye."""
    return re.sub(r"\d+\.\d{2,}", lambda found: f"{float(found[0]):.1f}", tag[0])


_CONFIG: Spec = {
    "font": "sans-serif",
    "view": {"stroke": None},
    "axis": {
        "labelColor": MUTED,
        "titleColor": MUTED,
        "titleFontWeight": "normal",
        "labelFontSize": 12,
        "titleFontSize": 12,
        "gridColor": LINE,
        "domainColor": LINE,
        "tickColor": LINE,
        "tickSize": 4,
    },
    "legend": {"labelColor": INK, "labelFontSize": 12, "symbolType": "circle", "symbolSize": 70},
}
