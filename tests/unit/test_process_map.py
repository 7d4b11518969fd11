"""The map of pages on visits that can be counted by hand."""

import re

from huaxiang.report import process_map
from huaxiang.report.process_map import START, Arrow


def page(name, views, entries, exits):
    return {"page": name, "view_count": views, "entry_count": entries, "exit_count": exits}


def move(source, target, count, share):
    return {"from_page": source, "to_page": target, "move_count": count, "move_share": share}


HOME, SHOES, CART, HELP = (
    page("home", 100, 80, 20),
    page("shoes", 60, 10, 15),
    page("cart", 30, 0, 24),
    page("help", 9, 0, 9),
)
MOVES = [
    move("home", "shoes", 50, 0.62),
    move("shoes", "cart", 30, 0.67),
    move("shoes", "home", 15, 0.33),
    move("cart", "home", 5, 0.83),
    move("home", "help", 3, 0.04),
    move("cart", "help", 1, 0.17),
    move("home", "cart", 2, 0.02),
]


def test_a_page_stands_behind_the_one_it_was_reached_from_most_often():
    pages = [HOME, SHOES, CART, HELP]
    boxes = process_map.placed(pages, process_map.kept(pages, MOVES))
    assert {name: box.column for name, box in boxes.items()} == {START: 0, "home": 1, "shoes": 2, "cart": 3, "help": 2}
    assert boxes["shoes"].row == boxes["home"].row == 0
    assert boxes["help"].row == 1, "its column's first row was taken"
    assert boxes["cart"].said == "30 seen, 80 % leave"


def test_rare_moves_are_left_out_unless_they_are_the_way_in():
    kept = process_map.kept([HOME, SHOES, CART, HELP], MOVES)
    assert Arrow("home", "cart", 2) not in kept
    assert Arrow("home", "help", 3) in kept, "rare, and yet how help is reached most"
    assert Arrow("cart", "help", 1) in kept, "a sixth of what came after the cart"
    assert Arrow(START, "shoes", 10) not in kept, "shoes were reached from home more often"


def test_pages_that_lead_to_each_other_alone_are_placed_all_the_same():
    pages = [page("a", 10, 0, 1), page("b", 9, 0, 1)]
    moves = [move("a", "b", 8, 1.0), move("b", "a", 9, 1.0)]
    boxes = process_map.placed(pages, process_map.kept(pages, moves))
    assert (boxes["a"].column, boxes["b"].column) == (2, 1), "b leads to a more often than a to b"


def test_the_picture_names_each_move_and_draws_the_most_frequent_one_thickest():
    drawn = process_map.picture([HOME, SHOES, CART], MOVES)
    assert "50 times from home to shoes" in drawn and "15 times from shoes to home" in drawn
    thick = {said: float(width) for width, said in re.findall(r'stroke-width="([\d.]+)"[^>]*><title>([^<]*)', drawn)}
    assert max(thick, key=thick.get) == "80 times from the start of a visit to home"
    assert thick["50 times from home to shoes"] == 5.6


def test_a_name_cannot_break_out_of_the_picture():
    bad = page("<script>alert(1)</script>", 5, 5, 1)
    drawn = process_map.picture([bad, SHOES], [move(bad["page"], "shoes", 4, 1.0)])
    assert "<script" not in drawn and "&lt;script" in drawn


def test_nothing_is_drawn_where_no_page_leads_to_another():
    assert process_map.picture([HOME], []) == ""
    assert process_map.picture([], []) == ""
