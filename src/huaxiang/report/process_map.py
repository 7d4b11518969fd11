"""Which page leads to which, as a picture: the directly-follows graph of process mining (van der Aalst 2016).

A page stands one column behind the page that most views of it come from, so that the main ways read from left to
right. Pure: pages and moves in, SVG out.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from huaxiang.report import words
from huaxiang.report.tables import Row

START = ""
SHOWN_PAGES = 14
LEAST_SHARE = 0.05  # of what came after a page; rarer moves are in the released table
_WIDTH, _START_WIDTH, _HEIGHT, _COLUMN, _ROW, _MARGIN, _THICKEST = 150, 90, 40, 198, 66, 6, 9
_HEAD = Markup(
    '<defs><marker id="way" viewBox="0 0 6 6" refX="6" refY="3" markerWidth="8" markerHeight="8" orient="auto" '
    'markerUnits="userSpaceOnUse"><path class="fill-muted" d="M0,0L6,3L0,6z"/></marker></defs>'
)


@dataclass(frozen=True)
class Page:
    """A box. `column` counts from 0, where visits start; `row` from the top."""

    name: str
    said: str
    column: int
    row: int


@dataclass(frozen=True)
class Arrow:
    """So many moves from a page, or from the start, to another page."""

    source: str
    target: str
    moves: int


def picture(pages: Sequence[Row], moves: Sequence[Row]) -> Markup:
    """The map of the pages seen most; empty where nothing moves from one page to another.

    `pages` are rows of `web_pages`, the most viewed first; `moves` rows of `web_page_moves` between two pages.
    """
    pages = pages[:SHOWN_PAGES]
    arrows = kept(pages, moves)
    if not any(arrow.source for arrow in arrows):
        return Markup("")
    boxes = placed(pages, arrows)
    parts = [_HEAD, *_lines(arrows, boxes), *(part for box in boxes.values() for part in _box(box))]
    width = max(_corner(box)[0] for box in boxes.values()) + _WIDTH + _MARGIN
    height = max(_corner(box)[1] for box in boxes.values()) + _HEIGHT + _MARGIN
    return Markup(
        '<svg viewBox="0 0 {0} {1}" width="{0}" height="{1}" role="img" aria-label="Which page leads to which">'
        "{2}</svg>"
    ).format(width, height, Markup("").join(parts))


def kept(pages: Sequence[Row], moves: Sequence[Row]) -> tuple[Arrow, ...]:
    """Of each page the way in that was taken most, and every move of at least `LEAST_SHARE` of what came next."""
    shown = {page["page"] for page in pages}
    between = [move for move in moves if {move["from_page"], move["to_page"]} <= shown]
    entries = [Arrow(START, page["page"], page["entry_count"]) for page in pages if page["entry_count"]]
    all_arrows = [*entries, *(Arrow(move["from_page"], move["to_page"], move["move_count"]) for move in between)]
    often = {(move["from_page"], move["to_page"]) for move in between if move["move_share"] >= LEAST_SHARE}
    main = _main_ways(all_arrows)
    return tuple(one for one in all_arrows if one in main.values() or (one.source, one.target) in often)


def placed(pages: Sequence[Row], arrows: Collection[Arrow]) -> dict[str, Page]:
    """A box per page and one for the start: each in the row of the page before it where that is free."""
    main = _main_ways(arrows)
    columns = {page["page"]: _depth(page["page"], main) for page in pages}
    boxes = {START: Page(START, "Visits start", 0, 0)}
    for page in sorted(pages, key=lambda page: columns[page["page"]]):
        name, column = page["page"], columns[page["page"]]
        taken = {box.row for box in boxes.values() if box.column == column}
        before = boxes[main[name].source].row if name in main else 0
        row = next(row for row in range(before, before + len(pages) + 1) if row not in taken)
        exits = page["exit_count"] / page["view_count"]
        said = f"{words.count(page['view_count'])} seen, {words.percent(exits, 0)} leave"
        boxes[name] = Page(name, said, column, row)
    return boxes


def _main_ways(arrows: Collection[Arrow]) -> dict[str, Arrow]:
    """The arrow by which each page was reached most; where these go round in a circle, its start is the start."""
    main: dict[str, Arrow] = {}
    for arrow in sorted(arrows, key=lambda arrow: (-arrow.moves, arrow.source, arrow.target)):
        if arrow.target not in main and not _leads_back(arrow, main):
            main[arrow.target] = arrow
    return main


def _leads_back(arrow: Arrow, main: Mapping[str, Arrow]) -> bool:
    page = arrow.source
    while page in main and page != arrow.target:
        page = main[page].source
    return page == arrow.target


def _depth(page: str, main: Mapping[str, Arrow]) -> int:
    """How many arrows lead from the start to the page; a page that nothing leads to stands behind the start."""
    return 1 + (_depth(main[page].source, main) if page in main and main[page].source else 0)


def _lines(arrows: Sequence[Arrow], boxes: Mapping[str, Page]) -> list[Markup]:
    """Forward from the right side to the left one, all others out of the left side and around; heads at the target."""
    most = max(arrow.moves for arrow in arrows)
    lines = []
    for arrow in sorted(arrows, key=lambda arrow: arrow.moves):
        source, target = boxes[arrow.source], boxes[arrow.target]
        forward = target.column > source.column
        (x1, y1), (x2, y2) = _corner(source), _corner(target)
        y1, y2 = y1 + _HEIGHT // 2, y2 + _HEIGHT // 2
        if forward:
            x1 += _width(source)
            bend = (x2 - x1) // 2
            path = f"M{x1} {y1}C{x1 + bend} {y1} {x2 - bend} {y2} {x2} {y2}"
        else:
            y1, y2 = y1 + 9, y2 + 9
            x2, out = (x2 + _width(target), 26) if target.column < source.column else (x2, -26)
            path = f"M{x1} {y1}C{x1 - 26} {y1} {x2 + out} {y2} {x2} {y2}"
        said = f"{words.count(arrow.moves)} times from {arrow.source or 'the start of a visit'} to {arrow.target}"
        lines.append(
            Markup(
                '<path class="stroke-{}" fill="none" stroke-opacity="0.75" stroke-width="{:.1f}" '
                'marker-end="url(#way)" d="{}"><title>{}</title></path>'
            ).format("soft" if forward else "warm", max(1, _THICKEST * arrow.moves / most), path, words.visible(said))
        )
    return lines


def _box(box: Page) -> list[Markup]:
    x, y = _corner(box)
    name = words.visible(box.name or box.said)
    cut = name if len(name) <= 20 else name[:19].rstrip() + "…"
    texts = [(cut, "fill-ink", 13, 17 if box.name else 25)]
    if box.name:
        texts.append((words.visible(box.said), "fill-muted", 11, 32))
    return [
        Markup('<rect class="fill-paper stroke-line" x="{}" y="{}" width="{}" height="{}" rx="4"/>').format(
            x, y, _width(box), _HEIGHT
        ),
        *(
            Markup('<text class="{}" x="{}" y="{}" font-size="{}">{}<title>{}</title></text>').format(
                tone, x + 8, y + down, size, said, name
            )
            for said, tone, size, down in texts
        ),
    ]


def _width(box: Page) -> int:
    return _WIDTH if box.name else _START_WIDTH


def _corner(box: Page) -> tuple[int, int]:
    return _MARGIN + box.column * _COLUMN - (_WIDTH - _START_WIDTH if box.column else 0), _MARGIN + box.row * _ROW
