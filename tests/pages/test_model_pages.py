"""What models found, as people read it: models beside their baselines, recommendations, rules, and what lies ahead."""

from __future__ import annotations

import pytest

from tests.pages.conftest import PHONE
from tests.pages.homes import HOSTILE_ID, REASON, SCRIPT

pytestmark = pytest.mark.pages


def test_what_is_judged_every_day_has_a_card_without_a_version(full_report, visit):
    seen = visit(full_report / "models.html")
    said = seen.text("#next_purchases")
    assert "16.20 days (15.40 days to 17.00 days), baseline 17.30 days" in said
    assert "Computed anew every day by the features' SQL, without a training." in said
    assert "version –" not in said


def test_a_model_stands_beside_its_baseline_with_both_intervals_and_a_verdict(full_report, visit):
    seen = visit(full_report / "models.html")
    away = seen.text("#churn_28d")
    assert "Says how likely each customer is to place no order in the next 28 days." in away
    assert "0.871 (0.851 to 0.890), baseline 0.830 (0.820 to 0.840)." in away
    assert "✓ Better than recency alone by 0.041 (0.030 to 0.052)." in away
    assert "Learned from January, judged on February." in away


def test_of_an_error_less_is_better_and_what_is_gained_is_told(full_report, visit):
    away = visit(full_report / "models.html").text("#churn_28d")
    assert "✓ Better than recency alone by 0.020 (0.010 to 0.030)." in away


def test_a_difference_that_may_be_chance_is_called_so(full_report, visit):
    seen = visit(full_report / "models.html")
    said = "! Not surely better than popularity: the difference is 0.002, and its interval (−0.003 to 0.007)"
    assert f"{said} holds 0." in seen.text("#recommend_any")
    assert "The baseline: what most customers bought." in seen.text("#recommend_any")
    assert "Judged on 3 customers." in seen.text("#recommend_any")
    assert "! The baseline itself is in use" in seen.text("#recommend_new")
    assert seen.row("Recommendations: any product")[1:4] == ["Quality of the first 10 (NDCG)", "0.310", "0.308"]


def test_what_was_told_stands_beside_what_came_about(full_report, visit):
    seen = visit(full_report / "models.html")
    seen.page.click("#churn_28d >> text=Do the probabilities come true?")
    assert seen.row("10.0 %", "#churn_28d") == ["10.0 %", "12.0 %", "50"]


def test_every_figure_is_drawn_with_a_whisker_for_the_model_and_one_for_the_baseline(full_report, visit):
    seen = visit(full_report / "models.html")
    drawn = seen.page.locator("#churn_28d .chart.wide >> nth=0").locator("title").all_text_contents()
    assert drawn == ["this model: 0.871", "baseline: 0.830"]


def test_what_was_tried_and_lost_stays_visible(full_report, visit):
    seen = visit(full_report / "models.html")
    cells = [row.split("\t") for row in seen.page.locator("#churn_28d .tried tbody tr").all_inner_texts()]
    assert [[row[0], row[-1]] for row in cells] == [
        ["logistic regression", "in use"],
        ["recency alone", "tried, lost (the baseline)"],
        [f"boosting {SCRIPT}", "tried, second best"],
    ]
    assert seen.row("spark-kmeans", "#segments .tried")[-1] == "in use"
    assert seen.row("hdbscan", "#segments .tried")[-1] == f"tried, lost: too few {SCRIPT}"


def test_a_family_left_out_is_told_with_its_reason_on_the_overview_and_on_the_models_page(left_out_report, visit):
    reason = f"The scores are left out of this run: 20 days of orders are too few; it needs 84 {SCRIPT}."
    overview = visit(left_out_report / "index.html")
    assert reason in overview.text(".verdicts .warning")
    models = visit(left_out_report / "models.html", PHONE)
    assert reason in models.text("#left-out")
    assert (models.complaints, models.outside, models.page.evaluate("window.hacked")) == ([], [], None)
    assert not (left_out_report / "recommendations.html").exists()


def test_what_no_model_found_has_no_page_and_no_place(bare_report, visit):
    overview = visit(bare_report / "index.html")
    assert overview.text("nav").split() == ["Overview", "Customers", "Quality", "Data"]
    assert not (bare_report / "models.html").exists()
    assert not (bare_report / "recommendations.html").exists()


def test_the_navigation_goes_from_the_whole_to_the_parts(full_report, visit):
    pages = visit(full_report / "index.html").text("nav").split()
    assert pages == [
        "Overview", "Population", "Segments", "Moves", "Tags", "Attributes", "Audiences", "Models", "Recommendations",
        "Customers", "Quality", "Data",
    ]  # fmt: skip
    cards = visit(full_report / "index.html").page.locator(".cards b").all_inner_texts()
    assert "Models" in cards and "Recommendations" in cards


def test_the_products_recommended_most_are_counted_in_customers(full_report, visit):
    seen = visit(full_report / "recommendations.html")
    rows = [row.split("\t")[:3] for row in seen.page.locator("#most tbody tr").all_inner_texts()]
    assert [[row[0].split("\n")[0], *row[1:]] for row in rows] == [
        ["MILK, WHOLE", "3", "100 %"],
        [f"TEA {SCRIPT}", "1", "33 %"],
        ["Product unnamed", "1", "33 %"],
        ["Product odd", "1", "100 %"],
    ]


def test_a_product_is_called_as_the_catalogue_known_that_day_calls_it(full_report, visit):
    text = visit(full_report / "recommendations.html").text("#most")
    assert "MILK, WHOLE\n1 L, DAIRY, no.\u00a0whole-milk" in text
    assert "OLD NAME" not in text and "NAME OF A LATER DAY" not in text


def test_the_example_customers_are_spread_over_the_segments_and_lead_to_their_portraits(full_report, visit):
    seen = visit(full_report / "recommendations.html")
    # Of segment 1 customer 8 is nearest to the centre, of segment 2 the hostile one; customer 10 has nothing.
    found = [text.split("\n")[0] for text in seen.page.locator("#examples h3 a").all_inner_texts()]
    assert found == ["Customer 8", f"Customer {HOSTILE_ID}", "Customer 7"]
    assert REASON in seen.text("#examples")
    seen.page.click(f"#examples h3 a:has-text('{HOSTILE_ID[:3]}')")
    seen.page.wait_for_selector("h1:has-text('c<b>')")
    assert seen.text("h1") == HOSTILE_ID


def test_a_rule_is_told_in_orders_beside_what_chance_would_bring(full_report, visit):
    seen = visit(full_report / "recommendations.html")
    # 50 of 1,000 orders have butter: of 100 with bread chance gives 5, and 40 are 8 times as many, or 35 of 1,000 more.
    # The surer direction stands for both: 40 of 50 with butter have bread.
    rows = [
        [cell.strip() for cell in row.split("\t")[:6]] for row in seen.page.locator("#pairs tbody tr").all_inner_texts()
    ]
    assert rows == [
        [
            "BUTTER\nDAIRY",
            "BREAD",
            "Of 50 orders with the first, 40 have the second too; by chance it would be 5.",
            "4.0 %",
            "3.50 %",
            "8.0 ×",
        ],
        [
            "BREAD",
            SCRIPT,
            "Of 100 orders with the first, 60 have the second too; by chance it would be 30.",
            "6.0 %",
            "3.00 %",
            "2.0 ×",
        ],
    ]
    assert "3 rules found in 1,000 orders from 1 March 2024 to 31 March 2024" in seen.text("#rules")


def test_rules_can_be_narrowed_and_the_most_frequent_put_first(full_report, visit):
    seen = visit(full_report / "recommendations.html")
    first = "#pairs tbody tr:not([hidden]) th"
    seen.page.select_option("#by", "both")
    assert seen.page.locator(first).all_inner_texts() == ["BREAD", "BUTTER\nDAIRY"]
    seen.page.fill("#with", "butt")
    assert seen.page.locator(first).all_inner_texts() == ["BUTTER\nDAIRY"]
    seen.page.fill("#with", "caviar")
    assert "No rule here has it" in seen.text("#matches")
    assert seen.complaints == []


def test_a_customer_has_what_lies_ahead_beside_the_average_customer(full_report, visit):
    seen = visit(full_report / "customer.html", fragment="#7")
    rows = [row.split("\t") for row in seen.page.locator(".ahead tbody tr:not(.why)").all_inner_texts()]
    said = [[row[0].split("\n")[0], *[cell.strip() for cell in row[-2:]]] for row in rows]
    # The three likeliest of four categories; tea: 3, 1, 4 and 2 tenths over four customers.
    assert said == [
        ["No order at all", "12 %", "25 %"],
        ["Buys DAIRY", "30 %", "30 %"],
        ["Buys TEA", "30 %", "25 %"],
        ["Buys BREAD", "10 %", "10 %"],
    ]
    assert f"last order yesterday {SCRIPT}" in seen.text(".ahead")
    assert "In the next 28 days stays away with a probability of 12 %" in seen.text("#portrait .story")
    assert seen.row("Probability of no order in the next 28 days", "#portrait")[1:] == ["12.0 %", "25.0 %"]


def test_a_customer_has_the_first_products_of_both_tasks_with_their_reasons(full_report, visit):
    seen = visit(full_report / "customer.html", fragment="#7")
    lists = [text.split("\n") for text in seen.page.locator(".picks").all_inner_texts()]
    assert lists == [
        ["MILK, WHOLE 1 L, DAIRY, no.\u00a0whole-milk", REASON, f"TEA {SCRIPT} 20 CT, DRINKS, no.\u00a0tea", REASON],
        ["Product odd", REASON],
    ]
    assert seen.page.evaluate("window.hacked") is None


def test_a_customer_has_in_one_line_what_they_may_start_next(full_report, visit):
    seen = visit(full_report / "customer.html", fragment="#7")
    assert seen.text(".starts") == (f"May start next: CAKES {SCRIPT}, TEAS, SALT The first: by CAKES {SCRIPT}")
    assert seen.page.evaluate("window.hacked") is None


def test_categories_to_start_are_counted_in_customers_and_beside_their_baseline(full_report, visit):
    seen = visit(full_report / "recommendations.html")
    rows = [row.split("\t")[:3] for row in seen.page.locator("#categories tbody tr").all_inner_texts()]
    assert [[row[0].split("\n")[0], *row[1:]] for row in rows] == [
        ["TEAS", "2", "100 %"], [f"CAKES {SCRIPT}", "1", "50 %"], ["SALT", "1", "50 %"]
    ]  # fmt: skip
    card = visit(full_report / "models.html").text("#recommend_category")
    assert "Better than popularity by 3.0 percentage points (1.0 to 5.0)" in card and "See the categories" in card


def test_a_customer_without_recommendations_has_no_empty_place_for_them(full_report, visit):
    seen = visit(full_report / "customer.html", fragment="#10")
    titles = seen.page.locator("#portrait h2").all_inner_texts()
    assert "What to recommend" not in titles and "The next 28 days" in titles


def test_what_models_found_has_its_place_in_the_lineage(full_report, visit):
    seen = visit(full_report / "data.html")
    before = seen.page.get_attribute("[id='box-models.customer_items']", "data-before").split()
    assert before == [
        "features.customer_features", "features.purchases", "landed.order_lines", "staging.stg_order_lines",
    ]  # fmt: skip
    assert "profiles.customer_profiles" in seen.page.get_attribute("[id='box-models.customer_items']", "data-after")
    released = seen.page.locator("#released summary b").all_inner_texts()
    assert {"customer_items", "rules", "customer_scores"} <= set(released)
