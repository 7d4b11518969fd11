"""The report in a real browser: quiet, self-contained, safe, fit for a phone, and true to the tables."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from huaxiang import report
from huaxiang.errors import MissingPartition
from huaxiang.settings import Run
from tests.pages import homes
from tests.pages.conftest import DESKTOP, PHONE
from tests.pages.homes import HOSTILE_ID, LINES, ORDERS, RUN, SCRIPT, SPEND, write_bare_home

pytestmark = pytest.mark.pages

PAGES = [
    "index.html", "population.html", "segments.html", "attributes.html", "moves.html", "tags.html", "audiences.html",
    "models.html", "recommendations.html", "customer.html", "quality.html", "data.html",
]  # fmt: skip
BARE_PAGES = ["index.html", "customer.html", "quality.html", "data.html"]


@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
@pytest.mark.parametrize("name", PAGES)
def test_every_page_is_quiet_and_asks_for_nothing_outside(full_report, visit, name, size):
    seen = visit(full_report / name, size)
    assert seen.complaints == []
    assert seen.outside == []
    assert seen.page.inner_text("h1")


@pytest.mark.parametrize("name", BARE_PAGES)
def test_the_pages_of_a_bare_home_are_quiet_as_well(bare_report, visit, name):
    seen = visit(bare_report / name, PHONE)
    assert (seen.complaints, seen.outside) == ([], [])


def test_the_watch_itself_sees_an_outside_request_and_an_error(tmp_path, visit):
    page = tmp_path / "page.html"
    page.write_text("<h1>x</h1><img src='http://127.0.0.1:9/x.png'><script>throw new Error('noticed')</script>")
    seen = visit(page)
    assert seen.outside == ["http://127.0.0.1:9/x.png"]
    assert any("noticed" in said for said in seen.complaints)


def test_the_policy_of_a_page_stops_what_is_slipped_into_it(full_report, tmp_path, visit):
    text = (full_report / "index.html").read_text(encoding="utf-8")
    page = tmp_path / "index.html"
    slipped = "<img src='http://127.0.0.1:9/x.png'><script>window.hacked = 1</script></main>"
    page.write_text(text.replace("</main>", slipped), encoding="utf-8")
    seen = visit(page)
    assert seen.page.evaluate("window.hacked") is None
    assert seen.outside == []
    assert len([said for said in seen.complaints if "Content Security Policy" in said]) == 2


@pytest.mark.parametrize("name", [*PAGES, "customer.html#10"])
def test_no_page_scrolls_sideways_on_a_phone(full_report, visit, name):
    file, _, fragment = name.partition("#")
    seen = visit(full_report / file, PHONE, f"#{fragment}" if fragment else "")
    assert seen.page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_the_overview_shows_the_totals_of_the_tables(full_report, visit):
    seen = visit(full_report / "index.html")
    keys = dict(zip(*[seen.page.locator(f".keys {part}").all_inner_texts() for part in ("dt", "dd")], strict=True))
    assert keys == {"Customers": "4", "Orders": "10", "Order lines": "20", "Net spend": "€100.00", "Segments": "2"}


def test_the_conservation_table_adds_up_and_leaves_out_later_drops(full_report, visit):
    seen = visit(full_report / "index.html")
    # files, files that came before, records in, accepted, refused, not accounted for
    assert seen.row("order lines")[1:] == ["1", "1", "21", "20", "1", "0"]
    assert seen.row("products")[1:] == ["1", "0", "3", "3", "0", "0"]
    assert seen.row("all tables")[1:] == ["2", "1", "24", "23", "1", "0"]
    assert "All 24 records that came in are accounted for: 23 accepted, 1 refused" in seen.text(".verdicts")


def test_the_money_in_the_portraits_stands_beside_the_money_that_came_in(full_report, visit):
    seen = visit(full_report / "index.html")
    assert seen.row("in accepted order lines")[1:] == ["20", "€100.00"]
    assert seen.row("in the portraits")[1:] == ["20", "€100.00"]
    assert seen.row("difference")[1:] == ["0", "€0.00"]


def test_steps_show_their_last_run_and_their_sum(full_report, visit):
    seen = visit(full_report / "index.html")
    assert seen.row("staging")[1] == "3.0"
    assert seen.row("these steps together")[1] == "5.0"


def test_the_days_add_up_and_later_days_are_not_drawn(full_report, visit):
    seen = visit(full_report / "index.html")
    seen.page.click("text=The figures, month by month")
    assert seen.row("March 2024")[1:] == ["31", "10", "€100.00", "0.3"]
    titles = seen.page.locator(".chart.wide >> nth=0").locator("title").all_text_contents()
    assert (titles[0], titles[-1], len(titles)) == ("Friday 1 March 2024: 4", "Sunday 31 March 2024: 0", 31)


def test_a_warning_is_told_on_the_overview_and_explained_on_the_quality_page(full_report, visit):
    assert "0 of 1 check on what goes out passed, 1 warning" in visit(full_report / "index.html").text(".verdicts")
    quality = visit(full_report / "quality.html")
    assert "! warning" in quality.text("#profiles") and "✓ passed" in quality.text("#landing")
    assert "7 rows: in 2024" in quality.text("#profiles")


def test_the_state_of_each_table_is_named_and_what_is_amiss_is_marked(full_report, visit):
    seen = visit(full_report / "quality.html")
    states = {row[0].split("\n")[0]: row[1] for row in seen.rows(".arrivals")[1:]}
    assert states == {
        "order lines": "ROWS", "products": "! EMPTY_UNEXPECTED", "customers": "! MISSING", "sends": "EMPTY_OK",
        "campaigns": "NOT_DUE",
    }  # fmt: skip
    assert "Saturday 30 March 2024" in seen.text("#arrivals")
    assert seen.row("customers", ".arrivals")[2].endswith(SCRIPT)


def test_a_refused_record_is_shown_by_place_and_reason_but_never_its_text(full_report, visit):
    seen = visit(full_report / "quality.html")
    place_and_reason = ["22", "21", "a value is not of its column's type", "net_amount: not a decimal"]
    assert seen.row("shop/lines.csv", ".records")[1:] == place_and_reason
    assert "quarantine/shop/order_lines/load_date=2024-03-30/aa.parquet" in seen.text("#refused")
    written = [path.read_text(encoding="utf-8") for path in full_report.rglob("*") if path.is_file()]
    assert not any("Anna Secret" in text for text in written)


def test_a_customer_opens_by_number_with_the_figures_of_the_tables(full_report, visit):
    seen = visit(full_report / "customer.html", fragment="#7")
    assert seen.text("h1") == "7"
    assert "3 orders between 1 March 2024 and 30 March 2024, €30.00 in all" in seen.text("#portrait .story")
    assert seen.row("Net spend", "#portrait")[1:] == ["€30.00", "€25.00"]
    assert seen.row("last 28 days", "#portrait")[1:] == ["3", "€30.00"]
    tags = seen.page.locator(".tags li").all_inner_texts()
    assert [tag.split("\n") for tag in tags] == [
        ["Lifecycle", "active", "3 orders", "confidence 100 %"],
        ["Favourite", "TEA", "half of all, abc[U+202E]def", "confidence 50 %"],
    ]
    assert seen.page.locator("#portrait h3").all_inner_texts() == [
        "Any product",
        "Never bought before",
        "Lifecycle",
        "Other",
    ]


def test_a_sentence_opens_what_it_rests_on_and_how_that_is_known(full_report, visit):
    seen = visit(full_report / "customer.html", fragment="#7")
    assert 3 <= seen.page.locator(".story details").count() <= 6
    said = seen.page.locator(".story details", has_text="Active customer")
    said.locator("summary").click()
    assert "Judged by a rule" in said.inner_text()
    assert "Lifecycle\nactive\n3 orders" in said.locator("dl").inner_text()
    group = seen.page.locator(".story details", has_text="Shops like the group")
    assert "was in “large baskets" in group.inner_text()
    assert "Average basket fell from €14.50 to €10.00" in group.inner_text()
    assert "Not known: anything the customer would" not in seen.text(".story")
    other = visit(full_report / "customer.html", fragment="#8").text(".story")
    assert "Not known: anything the customer would have to declare; a rhythm: there are too few orders." in other


def test_persons_segments_and_everybody_show_the_same_totals(full_report, visit):
    population, segments = visit(full_report / "population.html"), visit(full_report / "segments.html")
    assert population.row("Net spend")[1:4] == [f"€{SPEND}"] * 3
    assert population.row("Orders")[1:4] == [str(ORDERS)] * 3
    assert segments.row("small baskets", "section:has-text('together are everybody')")[1:] == ["2", "4", "8", "€35.50"]
    assert segments.row("everybody")[1:] == ["4", str(ORDERS), str(LINES), f"€{SPEND}"]


def test_who_stays_is_said_and_drawn(full_report, visit):
    seen = visit(full_report / "population.html")
    section = seen.page.locator("section", has=seen.page.locator("h2", has_text="Who stays"))
    said = section.inner_text()
    assert "Of 4 customers who ordered first in January 2024, 75 % ordered in the month after and 50 % in the" in said
    assert "92 days after their first order, 75.0 % (13.0 to 96.0) had never been away for more than 91 days." in said
    assert section.locator("svg:visible").count() == 2
    assert section.locator("title", has_text="January 2024, month 2: 2 of 4").count() == 2, "drawn wide and narrow"


def test_an_audience_is_told_with_its_size_overlap_and_conditions(full_report, visit):
    seen = visit(full_report / "audiences.html")
    assert seen.row("Fresh food")[1:3] == ["3", "75.0 %"]
    assert seen.row("Fresh food", "#overlap")[1:4] == ["Buys pet food", "1", "25.0 %"]
    said = seen.text("#audience-pet_owners")
    assert "at least 3 orders with order lines bought (category DOG FOODS or CAT FOOD) in the last 182 days" in said
    assert "Answers campaigns soon: this home has no source for responses and sends." in seen.text("#missing")


def test_the_moves_add_up_and_say_why(full_report, visit):
    seen = visit(full_report / "moves.html")
    assert seen.row("small baskets")[1:] == ["0", "0", "2", "2"]
    assert seen.row("large baskets")[1:] == ["3", "1", "0", "2"]
    assert seen.row("all segments")[1:] == ["3", "1", "2", "4"]
    assert seen.row("Average basket fell")[3:5] == ["€14.50 → €10.00", "1"]
    assert seen.row("31 March 2024")[1:4] == ["30 March 2024", "3", "66.7 %"]


def test_the_search_finds_a_customer_and_enter_opens_the_first(full_report, visit):
    seen = visit(full_report / "customer.html")
    assert seen.page.locator("#found bdi").all_inner_texts() == ["7", "8", "10", HOSTILE_ID]
    seen.page.fill("#who", "1")
    assert seen.page.locator("#found bdi").all_inner_texts() == ["10"]
    seen.page.press("#who", "Enter")
    seen.page.wait_for_selector("h1:has-text('10')")
    seen.page.fill("#who", "nobody")
    assert seen.text("#matches") == "No customer matches."


def test_the_list_can_be_narrowed_to_a_segment(full_report, visit):
    seen = visit(full_report / "customer.html")
    seen.page.select_option("#group", "2")
    assert seen.page.locator("#found bdi").all_inner_texts() == ["10", HOSTILE_ID]


def test_before_and_next_walk_through_the_customers(full_report, visit):
    seen = visit(full_report / "customer.html", fragment="#8")
    seen.page.click("text=Next →")
    seen.page.wait_for_selector("h1:has-text('10')")
    seen.page.click("text=← Before")
    seen.page.wait_for_selector("h1:has-text('8')")
    assert seen.complaints == []


def test_an_unknown_customer_is_told_plainly(full_report, visit):
    seen = visit(full_report / "customer.html", fragment="#nobody")
    assert "There is no customer nobody" in seen.text("#portrait")


def test_markup_in_values_is_shown_and_not_run(full_report, visit):
    seen = visit(full_report / "customer.html", fragment="#8")
    assert "<script>window.hacked = 1</script>" in seen.text("#portrait .bars")
    for name in PAGES:
        assert visit(full_report / name).page.evaluate("window.hacked") is None


def test_a_character_that_reverses_text_is_spelled_out(full_report, visit):
    seen = visit(full_report / "customer.html", fragment="#10")
    assert "abc[U+202E]def" in seen.text("#portrait .bars")
    assert "\u202e" not in seen.page.content()


def test_a_customer_with_a_hostile_number_can_be_reached(full_report, visit):
    seen = visit(full_report / "customer.html")
    seen.page.click(f"#found a:has-text('{HOSTILE_ID[:3]}')")
    seen.page.wait_for_selector("h1:has-text('c<b>')")
    assert seen.text("h1") == HOSTILE_ID
    assert seen.complaints == []


def test_the_segments_page_leads_to_the_most_typical_customer(full_report, visit):
    seen = visit(full_report / "segments.html")
    assert seen.row("small baskets")[1:3] == ["2", "50.0 %"]
    assert "net spend per order: 7.75 against 11.00" in seen.text("#segment-1")
    assert "TEA <script>window.hacked = 1</script> among the strongest interests of 75.0 %" in seen.text("#segment-1")
    assert seen.row("2 ← chosen")[1:3] == ["0.25", "0.80"]
    assert "No three usable segments." in seen.text("main")
    assert seen.row("K-Means", "#shapes")[1:] == ["2", "0.25", "0.80\n0.70 to 0.90", "80 %", "in use"]
    assert seen.row("HDBSCAN", "#shapes")[-1] == "tried, lost: too few <script>window.hacked = 1</script>"
    unlike = seen.text("#unlike-everybody")
    assert "1 customer, 25.0 % of all, shops as hardly anybody else does" in unlike
    assert "7 lines per order 99.0, usual 2.0 to 33.9 <script>" in unlike
    seen.page.click("#segment-1 >> text=See its most typical customer")
    seen.page.wait_for_selector("h1:has-text('8')")  # one order, the smallest distance in the hand-made table


def test_pointing_at_a_table_lights_its_lineage_and_choosing_it_opens_its_columns(full_report, visit):
    seen = visit(full_report / "data.html")
    seen.page.hover("#picture .box:has-text('customer_features')")
    lit = seen.page.eval_on_selector_all("#picture .box.on text", "all => all.map(one => one.textContent)")
    assert "order_lines" in lit and "customer_profiles" in lit
    seen.page.click("#picture .box:has-text('customer_profiles')")
    # The page hears of the new address a moment after the click.
    entry = seen.page.wait_for_selector("details[open]:has-text('One row per customer.')")
    assert "Who. <script>" in entry.inner_text()


def test_every_released_table_is_told_with_its_rows_and_key(full_report, visit):
    text = visit(full_report / "data.html").text("#released")
    assert "customer_profiles the portrait: one row per customer 4 rows × 19 columns" in " ".join(text.split())


def test_what_has_no_source_leaves_no_empty_place(bare_report, visit):
    overview = visit(bare_report / "index.html")
    titles = overview.page.locator("h2").all_inner_texts()
    assert titles == ["What came in, and where it went", "What has no source", "Where to look next"]
    assert "top_category" in overview.text("main") and "products" in overview.text("main")
    assert "Segments" not in overview.text("nav")
    customer = visit(bare_report / "customer.html", fragment="#7")
    assert customer.page.locator("#portrait h2").all_inner_texts() == ["Lately", "All figures"]
    assert not (bare_report / "segments.html").exists()


def test_building_the_report_twice_writes_the_same_pages(settings):
    write_bare_home(settings)
    report.build(settings, RUN)
    folder = settings.home.build(RUN.id) / "report"
    first = {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    report.build(settings, RUN)
    assert {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()} == first


def test_without_portraits_the_report_names_the_step_to_run_first(settings):
    with pytest.raises(MissingPartition, match="run 'huaxiang profiles --as-of 2024-04-01' first"):
        report.build(replace(settings), Run(date(2024, 4, 1), date(2024, 4, 1)))


def test_the_tags_page_says_whom_a_tag_covers_how_steady_it_is_and_what_it_promises(full_report, visit):
    seen = visit(full_report / "tags.html")
    [row] = [cells for cells in seen.rows("table.tree") if cells[0] == "Lifecycle" and len(cells) > 1]
    assert row[7:] == ["100.0 %", "", "0.0 %"]
    assert "no other value; every customer has one" in seen.text("#tag-lifecycle")
    assert seen.row("active", "#tag-lifecycle")[2:] == ["4", "100.0 %"]


def test_the_tags_page_says_how_the_model_behind_a_tag_stands_beside_its_baseline(full_report, visit):
    seen = visit(full_report / "tags.html")
    assert "Better than recency alone by 0.041 (0.030 to 0.052)." in seen.text("#tag-churn_risk")
    assert "Its model" not in seen.text("#tag-lifecycle")
    assert "Better than the category alone by 1.10 days (0.91 to 1.30)." in seen.text("#tag-next_due_category")
    assert "holds no comparison with a baseline" in seen.text("#tag-unlike_everybody")
    assert "no baseline to hold 1 tag of a model against: Unlike everybody" in seen.text("#unjudged")


def test_the_attributes_page_keeps_declared_and_inferred_apart_and_shows_what_was_tried_and_lost(full_report, visit):
    seen = visit(full_report / "attributes.html")
    people = len(homes.PEOPLE)
    age, home = seen.row("Age band", "#declared"), seen.row("Home ownership", "#declared")
    assert age[1:6] == [f"{people - 1}", "1", "0", "60.0 %", "50.0 %"]
    assert home[1:4] == ["0", "0", f"{people}"]
    assert "Inferred" in age[-1] and "Tried, lost: not surely righter than the commonest value" in home[-1]
    assert "no claim about personality" in seen.text("#factors")
    assert "tried, lost: not stable enough to publish" in seen.text("#factors table")
