"""Flows between groups as a picture: who went from where to where, bands as thick as the number of customers.

Drawn here and not by Vega-Lite, which has no such mark. Pure: flows in, SVG out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from huaxiang.report import words
from huaxiang.report.drawing import NARROW

_WIDE, _GAP, _LEAST, _BAR, _LINE = 900, 14, 240, 10, 17


@dataclass(frozen=True)
class Flow:
    """So many customers from one group to another."""

    source: str
    target: str
    customers: int


@dataclass(frozen=True)
class Node:
    """A group on one side: its place from the top, its height, and what it adds up to."""

    name: str
    customers: int
    top: float
    height: float


def picture(flows: Sequence[Flow], label: str) -> Markup:
    """The flows for a wide and a narrow column; empty where nothing flows. Both sides add up to the same total."""
    if not flows:
        return Markup("")
    return Markup("").join(
        Markup('<div class="chart {}">{}</div>').format(name, _drawn(flows, label, width))
        for name, width in (("wide", _WIDE), ("narrow", NARROW))
    )


def nodes(flows: Sequence[Flow], side: str, height: float) -> tuple[Node, ...]:
    """The groups of a side ('source' or 'target'), the largest first, in `height` pixels without the gaps."""
    sizes: dict[str, int] = {}
    for flow in flows:
        name = getattr(flow, side)
        sizes[name] = sizes.get(name, 0) + flow.customers
    total, top, found = sum(sizes.values()), 0.0, []
    for name, customers in sorted(sizes.items(), key=lambda item: (-item[1], item[0])):
        found.append(Node(name, customers, top, height * customers / total))
        top += max(height * customers / total, 2 * _LINE) + _GAP
    return tuple(found)


def _drawn(flows: Sequence[Flow], label: str, width: int) -> Markup:
    room = 250 if width > NARROW else 104
    height = max(_LEAST, 34 * len({flow.source for flow in flows}))
    left, right = nodes(flows, "source", height), nodes(flows, "target", height)
    deep = max(node.top + max(node.height, 2 * _LINE) for node in (*left, *right))
    parts = [*_bands(flows, left, right, room, width)]
    ends = ((left, room, room - 6, "end"), (right, width - room - _BAR, width - room + 6, "start"))
    for side, bar, text, anchor in ends:
        for node in side:
            parts += [_rect(bar, node), *_name(node, text, anchor, room)]
    return Markup('<svg viewBox="0 0 {0} {1}" width="{0}" height="{1}" role="img" aria-label="{2}">{3}</svg>').format(
        width, round(deep + 4), label, Markup("").join(parts)
    )


def _bands(
    flows: Sequence[Flow], left: tuple[Node, ...], right: tuple[Node, ...], room: int, width: int
) -> list[Markup]:
    """A band per flow; at a node they lie in the order of the nodes on the other side, so that few cross."""
    places = [{node.name: place for place, node in enumerate(side)} for side in (left, right)]
    unit = left[0].height / left[0].customers
    start, end = {node.name: node.top for node in left}, {node.name: node.top for node in right}
    tops: dict[tuple[str, str], list[float]] = {}
    for flow in sorted(flows, key=lambda one: (places[0][one.source], places[1][one.target])):
        tops[flow.source, flow.target] = [start[flow.source]]
        start[flow.source] += unit * flow.customers
    for flow in sorted(flows, key=lambda one: (places[1][one.target], places[0][one.source])):
        tops[flow.source, flow.target].append(end[flow.target])
        end[flow.target] += unit * flow.customers
    x, far = room + _BAR, width - room - _BAR
    middle = (x + far) / 2
    bands = []
    for flow in flows:
        half = unit * flow.customers / 2
        y, to = (top + half for top in tops[flow.source, flow.target])
        said = f"{words.plural(flow.customers, 'customer')} from {flow.source} to {flow.target}"
        bands.append(
            Markup(
                '<path class="stroke-soft" fill="none" stroke-opacity="0.8" stroke-width="{:.1f}" '
                'd="M{:.1f} {:.1f}C{:.1f} {:.1f} {:.1f} {:.1f} {:.1f} {:.1f}"><title>{}</title></path>'
            ).format(max(2 * half, 1), x, y, middle, y, middle, to, far, to, words.visible(said))
        )
    return bands


def _rect(x: int, node: Node) -> Markup:
    return Markup('<rect class="fill-accent" x="{}" y="{:.1f}" width="{}" height="{:.1f}"/>').format(
        x, node.top, _BAR, max(node.height, 1)
    )


def _name(node: Node, x: int, anchor: str, room: int) -> list[Markup]:
    """The group's name, cut to the room there is, and below it the number of customers."""
    letters = int(room / 6.6)
    name = words.visible(node.name)
    cut = name if len(name) <= letters else name[: letters - 1].rstrip(" ,") + "…"
    whole = Markup("<title>{}</title>").format(name)
    lines = ((cut, "fill-ink", whole), (words.count(node.customers), "fill-muted", ""))
    return [
        Markup('<text class="{}" x="{}" y="{:.1f}" text-anchor="{}" font-size="12">{}{}</text>').format(
            tone, x, node.top + 11 + place * 15, anchor, said, title
        )
        for place, (said, tone, title) in enumerate(lines)
    ]
