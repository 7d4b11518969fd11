"""Small homes for the report: a finished build, ledger, quarantine and warehouse as the steps before it write them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path

import duckdb

from huaxiang.settings import Run, Settings
from huaxiang.tags import figures, load_tags

RUN = Run(date(2024, 3, 31), date(2024, 3, 31))
HOSTILE_ID = "c<b>&\"'#/ü%"
SCRIPT = "<script>window.hacked = 1</script>"
REVERSED = "abc\u202edef"


@dataclass(frozen=True)
class Person:
    """One customer: two figures that must come back on the pages, and words that must not do anything there."""

    customer_id: str
    orders: int
    spend: str
    category: str
    segment_id: int


PEOPLE = (
    Person("7", 3, "30.00", "TEA", 1),
    Person("8", 1, "5.50", SCRIPT, 1),
    Person("10", 4, "40.25", REVERSED, 2),
    Person(HOSTILE_ID, 2, "24.25", "MILK", 2),
)
ORDERS, SPEND, LINES = 10, "100.00", 20  # what PEOPLE add up to: two lines an order
ITEMS = {  # what is recommended to whom for which task, the first first
    ("7", "any"): ("whole-milk", "tea"), ("7", "new"): ("odd",),
    ("8", "any"): ("whole-milk",), (HOSTILE_ID, "any"): ("whole-milk", "unnamed"),
}  # fmt: skip
REASON = f"bought in 2 of 3 orders {SCRIPT}"
CHURN = {"7": 0.12, "8": 0.4, "10": 0.3, HOSTILE_ID: 0.18}  # 0.25 on average
SMALLER = "net spend per order: 7.75 against 11.00"
UNUSUAL = f"lines per order 99.0, usual 2.0 to 33.9 {SCRIPT}"
ARRIVALS = (  # what each table brought: source, table, state, in words
    ("shop", "order_lines", "ROWS", "20 records accepted"),
    ("shop", "products", "EMPTY_UNEXPECTED", "a file came without a record; on 9 days before it had some"),
    ("crm", "customers", "MISSING", f"no file; one came on 28 of 28 days up to the last, of 2024-03-29 {SCRIPT}"),
    ("crm", "sends", "EMPTY_OK", "a file came without a record, as on 3 of 20 days before"),
    ("crm", "campaigns", "NOT_DUE", "no file has come yet"),
)
SEGMENTS = {1: "small baskets", 2: f"large baskets {SCRIPT}"}


def write_full_home(settings: Settings) -> None:
    """A home with products, all model families, tags, gates, refused records, a repeated file and a lineage."""
    build = settings.home.build(RUN.id)
    columns = (
        "top_category varchar, segment_id bigint, segment_name varchar, age_band varchar, any_product_id varchar, "
        "churn_probability_28d double, likely_category varchar, likely_category_probability double"
    )
    _profiles(build, columns, lambda one: (
        one.category, one.segment_id, SEGMENTS[one.segment_id], "45-54" if one.orders > 2 else None, "whole-milk",
        CHURN[one.customer_id], one.category, 0.5,
    ))  # fmt: skip
    _table(
        build / "features" / "customer_interests.parquet",
        "customer_id varchar, as_of date, rank bigint, category varchar, weight double",
        [(one.customer_id, RUN.as_of, 1, one.category, 0.5) for one in PEOPLE],
    )
    _table(
        build / "profiles" / "customer_tags.parquet",
        "customer_id varchar, as_of date, tag varchar, value varchar, confidence double, evidence varchar, "
        "source varchar",
        [
            (one.customer_id, RUN.as_of, tag, value, confidence, evidence, source)
            for one in PEOPLE
            for tag, value, confidence, evidence, source in (
                ("lifecycle", "active", 1.0, f"{one.orders} orders", "rule"),
                ("favourite", one.category, 0.5, f"half of all, {REVERSED}", "fact"),
            )
        ]
        + [("10", RUN.as_of, "unlike_everybody", "yes", 1.0, UNUSUAL, "model")],
    )
    _audiences(build)
    _levels(build)
    _retention(build)
    _segments(build)
    _moves(build)
    _recommendations(build)
    _products(settings)
    _rules(build)
    _scores(build)
    _attributes(build)
    _new_categories(build)
    _next_purchases(build)
    shown = [
        tag
        for tag in load_tags(settings)
        if tag.name in ("lifecycle", "churn_risk", "next_due_category", "unlike_everybody")
    ]
    figures.write(build, figures.of_build(build, shown, RUN.as_of, build), shown)
    _gates(build)
    _ledger(settings, refused=1)
    _quarantine(settings)
    _warehouse(settings)
    (build / "steps.jsonl").write_text(
        "".join(
            json.dumps({"step": step, "seconds": seconds, "facts": facts}) + "\n"
            for step, seconds, facts in (("landing", 2.0, {"files": 2}), ("staging", 9.0, {}), ("staging", 3.0, {}))
        )
    )
    _json(build / "profiles" / "left_out.json", {"columns": [], "tags": [], "tables": []})


def write_bare_home(settings: Settings) -> None:
    """A home with order lines and nothing else: no products, no segments, no tags, no gates, no warehouse left."""
    build = settings.home.build(RUN.id)
    _profiles(build, "", lambda one: ())
    _ledger(settings, refused=0)
    missing = {"table": "customer_profiles", "column": "top_category", "needs": ["products.category"]}
    _json(build / "profiles" / "left_out.json", {"columns": [missing], "tags": [], "tables": []})


def _profiles(build: Path, more: str, values) -> None:
    columns = (
        "customer_id varchar, as_of date, first_order_on date, last_order_on date, recency_days bigint, "
        "order_count bigint, net_spend decimal(18, 2), line_count bigint, basket_net_mean double, "
        "order_count_28d bigint, net_spend_28d decimal(18, 2)"
    )
    rows = [
        (
            one.customer_id, RUN.as_of, date(2024, 3, 1), date(2024, 3, 30), 1, one.orders, one.spend, 2 * one.orders,
            float(one.spend) / one.orders, one.orders, one.spend, *values(one),
        )
        for one in PEOPLE
    ]  # fmt: skip
    _table(build / "profiles" / "customer_profiles.parquet", f"{columns}, {more}" if more else columns, rows)


def _segments(build: Path) -> None:
    folder = build / "segments"
    _table(
        folder / "segments.parquet",
        "segment_id bigint, segment_name varchar, customer_count bigint, customer_share double, basket_net_mean double",
        [(1, SEGMENTS[1], 2, 0.5, 7.75), (2, SEGMENTS[2], 2, 0.5, 11.0)],
    )
    _table(
        folder / "segment_facts.parquet",
        "segment_id bigint, rank bigint, feature varchar, word varchar, statement varchar, segment_mean double, "
        "rest_mean double, effect double, p_value double",
        [
            (1, 1, "basket_net_mean", "small baskets", SMALLER, 7.75, 11.0, -0.5, 0.004),
            (1, 2, "interests", f"TEA {SCRIPT}", "among the strongest interests of 75.0 %", 0.75, 0.125, 0.625, 0.002),
        ],
    )
    _table(
        folder / "customer_segments.parquet",
        "customer_id varchar, segment_id bigint, segment_name varchar, distance double, is_outlier boolean, "
        "outlier_score double, outlier_reason varchar, model_fingerprint varchar",
        [
            (one.customer_id, one.segment_id, SEGMENTS[one.segment_id], one.orders, *unlike, "f00")
            for one, unlike in zip(PEOPLE, [(True, 1.5, UNUSUAL), *[(False, 0.5, None)] * 3], strict=True)
        ],
    )
    tried = [{"k": k, "silhouette": 0.5 / k, "stability": 1 - k / 10, "least_found_again": 0.8, "smallest_share": 0.3,
              "is_usable": True} for k in (2, 3)]  # fmt: skip
    card = {
        "model": "segments", "version": "3", "run_id": "0f0f", "fingerprint": "f00", "training_as_of": "2024-03-31",
        "k": 2,
        "metrics": {"silhouette": 0.25, "baseline_silhouette": 0.03}, "baseline": {"name": "five groups by RFM score"},
        "since": {
            "release_id": "2024-03-30-x", "as_of": "2024-03-30", "is_same_model": True, "customers_in_both": 3,
            "stayed": 2, "stayed_share": 0.666667, "how": {"feature moved": 1, "new customer": 1},
            "customers": {"2": 3},
        },
        "recipe": "spark-kmeans", "tried": [
            {"recipe": "spark-kmeans", "outcome": "won", "reason": "", "metrics": {
                "silhouette": 0.25, "stability": 0.8, "stability_low": 0.7, "stability_high": 0.9,
                "least_found_again": 0.8, "segments": 2}},
            {"recipe": "hdbscan", "outcome": "lost", "reason": f"too few {SCRIPT}", "metrics": {"noise_share": 0.5}},
        ],
        "k_table": tried, "notes": ["no three usable segments"], "segments": [], "left_out_features": ["coupon_share"],
    }  # fmt: skip
    _json(folder / "model.json", card)


def _audiences(build: Path) -> None:
    """Two of the project's audiences, and one that has no source here; the others hold nobody."""
    held = {"pet_owners": PEOPLE[:2], "fresh_food_fans": PEOPLE[1:]}
    rows = [(name, one.customer_id) for name, people in held.items() for one in people]
    _table(build / "audiences" / "customer_audiences.parquet", "audience varchar, customer_id varchar", rows)
    missing = {"audience": "coupon_responders", "title": "Answers campaigns soon", "needs": ["responses", "sends"]}
    _json(build / "audiences" / "left_out.json", [missing])


def _levels(build: Path) -> None:
    """What the people add up to, everybody and by segment."""
    groups = [("population", "all", PEOPLE)]
    groups += [("segment", str(number), [one for one in PEOPLE if one.segment_id == number]) for number in SEGMENTS]
    _table(
        build / "profiles" / "portrait_levels.parquet",
        "as_of date, level varchar, group_id varchar, customers bigint, orders bigint, order_lines bigint, "
        "net_spend decimal(18, 2)",
        [
            (
                RUN.as_of, level, group, len(people), sum(one.orders for one in people),
                sum(2 * one.orders for one in people), sum(Decimal(one.spend) for one in people),
            )
            for level, group, people in groups
        ],
    )  # fmt: skip


def _retention(build: Path) -> None:
    """Of four customers of January three came in February and two in March; one has lapsed."""
    january = date(2024, 1, 1)
    _table(
        build / "features" / "retention_cohorts.parquet",
        "as_of date, cohort_month date, months_since bigint, customers bigint, active_customers bigint, "
        "active_share double",
        [(RUN.as_of, january, months, 4, active, active / 4) for months, active in enumerate((4, 3, 2))],
    )
    _table(
        build / "features" / "survival_curve.parquet",
        "as_of date, first_day_spend varchar, days_since_first_order bigint, customers_at_risk bigint, "
        "lapsed_customers bigint, staying_share double, staying_share_low double, staying_share_high double",
        [(RUN.as_of, "all", 92, 4, 1, 0.75, 0.13, 0.96)],
    )


def _moves(build: Path) -> None:
    """Yesterday 7 was in segment 2 and 8 was not there: a retraining and a feature away from today."""
    _table(
        build / "segments" / "segment_moves.parquet",
        "customer_id varchar, rank bigint, from_segment bigint, from_name varchar, to_segment bigint, to_name varchar, "
        "feature varchar, before double, after double, how varchar",
        [
            ("7", 1, 2, SEGMENTS[2], 1, SEGMENTS[1], "basket_net_mean", 14.5, 10.0, "feature moved"),
            ("8", 1, None, None, 1, SEGMENTS[1], None, None, None, "new customer"),
        ],
    )


def _recommendations(build: Path) -> None:
    folder = build / "recommendations"
    _table(
        folder / "customer_items.parquet",
        "customer_id varchar, product_id varchar, task varchar, rank bigint, score double, reason varchar, "
        "model_fingerprint varchar",
        [
            (customer, product, task, rank, 1 / rank, REASON, "f01")
            for (customer, task), products in ITEMS.items()
            for rank, product in enumerate(products, start=1)
        ],
    )
    for target, gain, recipe in (
        ("recommend_any", (0.002, -0.003, 0.007), "history"),
        ("recommend_new", (0, 0, 0), "popularity"),
    ):
        figures = _beside("ndcg_at_10", 0.31, 0.30, 0.32, 0.308, *gain) | {"customers": 3.0}
        tried = [
            {"recipe": name, "metrics": {"ndcg_at_10": figure}, "outcome": "won" if name == recipe else "lost"}
            for name, figure in (("als", 0.2), (recipe, 0.31))
        ]
        baseline = {"name": "popularity", "words": "popularity: what most customers bought"}
        _card(folder, target, "f01", figures, baseline, recipe=recipe, tried=tried)


def _products(settings: Settings) -> None:
    """The catalogue as it landed: the second drop renames the milk, the third is not known yet."""
    for day, rows in (
        (date(2024, 3, 1), [("whole-milk", "OLD NAME", "DAIRY", None), ("tea", f"TEA {SCRIPT}", "DRINKS", " 20 CT ")]),
        (
            date(2024, 3, 30),
            [
                ("whole-milk", "MILK, WHOLE", "DAIRY", "1 L"),
                ("odd", None, None, None),
                ("butter", "BUTTER", "DAIRY", None),
            ],
        ),
        (date(2024, 4, 2), [("whole-milk", "NAME OF A LATER DAY", "DAIRY", "1 L")]),
    ):
        _table(
            settings.home.landing / "shop" / "products" / f"load_date={day}" / "aa.parquet",
            "product_id varchar, department varchar, category varchar, product_type varchar, package_size varchar, "
            "source_name varchar, file_id varchar, record_number bigint, load_date date",
            [(id_, None, category, kind, size, "shop", "aa", 1, day) for id_, kind, category, size in rows],
        )


def _rules(build: Path) -> None:
    folder = build / "associations"
    first, last = date(2024, 3, 1), RUN.as_of
    counts = (  # orders with the antecedent, with the consequent, with both; of 1,000
        ("BREAD", "BUTTER", 100, 50, 40), ("BUTTER", "BREAD", 50, 100, 40), ("BREAD", SCRIPT, 100, 300, 60),
    )  # fmt: skip
    _table(
        folder / "rules.parquet",
        "antecedent varchar, consequent varchar, antecedent_size bigint, order_count bigint, antecedent_count bigint, "
        "consequent_count bigint, both_count bigint, support double, confidence double, lift double, leverage double, "
        "p_value double, from_on date, to_on date, model_fingerprint varchar",
        [
            (
                one,
                other,
                1,
                1000,
                a,
                c,
                both,
                both / 1000,
                both / a,
                both * 1000 / (a * c),
                both / 1000 - a * c / 1000**2,
                0.0001,
                first,
                last,
                "f02",
            )
            for one, other, a, c, both in counts
        ],
    )
    _card(
        folder,
        "associations",
        "f02",
        _beside("held_share", 0.9, 0.8, 0.95, 0.5, 0.4, 0.3, 0.5),
        {"name": "rules by chance"},
    )


def _scores(build: Path) -> None:
    folder = build / "scores"
    away = [
        (customer, "churn_28d", "", chance, f"last order yesterday {SCRIPT}", "f03")
        for customer, chance in CHURN.items()
    ]
    next_ones = [
        (one.customer_id, "category_28d", category, chance, "bought in 2 orders", "f03")
        for one in PEOPLE
        for category, chance in (("BREAD", 0.1), ("DAIRY", 0.3), ("SALT", 0.01), ("TEA", one.orders / 10))
    ]
    _table(
        folder / "customer_scores.parquet",
        "customer_id varchar, target varchar, category varchar, probability double, reasons varchar, "
        "model_fingerprint varchar",
        away + next_ones,
    )
    figures = _beside("auc", 0.871, 0.851, 0.89, 0.83, 0.041, 0.03, 0.052)
    # Less is better: the card holds the bare difference, the page says what is gained.
    figures |= _beside("brier", 0.1, 0.09, 0.11, 0.12, -0.02, -0.03, -0.01)
    tried = [
        {"recipe": "recency_alone", "metrics": {"auc": 0.83}, "outcome": "lost"},
        {"recipe": f"boosting {SCRIPT}", "metrics": {"auc": 0.87}, "outcome": "challenger"},
        {
            "recipe": "logistic_regression",
            "metrics": {"auc": 0.871, "auc_low": 0.851, "auc_high": 0.89},
            "outcome": "won",
        },
    ]
    more = {"reliability": [{"probability": 0.1, "share": 0.12, "rows": 50}]}
    _card(
        folder,
        "churn_28d",
        "f03",
        figures,
        {"name": "recency_alone"},
        recipe="logistic_regression",
        title="Staying away",
        description="Says how likely each customer is to place no order in the next 28 days.",
        tried=tried,
        **more,
    )


def _attributes(build: Path) -> None:
    """An age inferred of one customer, a home ownership that was tried and lost, and two factors, one stable."""
    folder = build / "attributes"
    ids = sorted(one.customer_id for one in PEOPLE)
    said = [(ids[0], "age_band", None, f"65+ {SCRIPT}", 0.8, "inferred", "f04")]
    said += [(one, "age_band", "25-34", None, None, "declared", "f04") for one in ids[1:]]
    said += [(one, "home_ownership", None, None, None, "unknown", "f04") for one in ids]
    _table(
        folder / "customer_attributes.parquet",
        "customer_id varchar, attribute varchar, declared_value varchar, inferred_value varchar, confidence double, "
        "status varchar, model_fingerprint varchar",
        said,
    )
    _table(
        folder / "customer_factors.parquet",
        "customer_id varchar, factor bigint, factor_name varchar, weight double, share double, "
        "model_fingerprint varchar",
        [(ids[0], 1, f"tea, cake {SCRIPT}", 0.5, 0.7, "f05")],
    )
    _table(
        folder / "factors.parquet",
        "factor bigint, rank bigint, factor_name varchar, category varchar, weight double, stability double, "
        "model_fingerprint varchar",
        [(1, 1, f"tea, cake {SCRIPT}", "TEA", 0.9, 0.95, "f05")],
    )
    rows = [
        {
            "attribute": name, "values": 2, "declared": 500.0, "accuracy": 0.6, "baseline_accuracy": 0.5,
            "accuracy_gain": gain, "accuracy_gain_low": gain - 0.05, "accuracy_gain_high": gain + 0.05,
            "calibration_error": 0.02, "published_share": 0.3, "is_inferred": gain > 0.05, "reason": reason,
        }
        for name, gain, reason in (
            ("age_band", 0.1, "righter than the commonest value"),
            ("home_ownership", 0.01, f"not surely righter than the commonest value {SCRIPT}"),
        )
    ]  # fmt: skip
    figures = _beside("accuracy_of_age_band", 0.6, 0.55, 0.65, 0.5, 0.1, 0.05, 0.15)
    _card(folder, "attributes", "f04", figures, {"name": "majority"}, recipe="logistic", by_attribute=rows)
    factors = [
        {"factor": 1, "name": f"tea, cake {SCRIPT}", "stability": 0.95, "found_share": 1.0, "baseline_stability": 0.4,
         "is_published": True, "categories": ["TEA", "CAKE"]},
        {"factor": 2, "name": "salt", "stability": 0.6, "found_share": 0.2, "baseline_stability": 0.5,
         "is_published": False, "categories": ["SALT"]},
    ]  # fmt: skip
    figures = _beside("tucker_phi", 0.9, 0.85, 0.95, 0.5, 0.4, 0.3, 0.5)
    _card(folder, "lifestyle_factors", "f05", figures, {"name": "shuffled"}, by_factor=factors)


def _new_categories(build: Path) -> None:
    """Customer 7 may start three categories, another one the first of them; the others have no list."""
    folder = build / "categories"
    rows = [
        (customer, rank, category, 1 / rank, f"by {category}", "f06")
        for customer, categories in (("7", (f"CAKES {SCRIPT}", "TEAS", "SALT", "PEPPER")), ("8", ("TEAS",)))
        for rank, category in enumerate(categories, start=1)
    ]
    _table(
        folder / "customer_new_categories.parquet",
        "customer_id varchar, rank bigint, category varchar, score double, reason varchar, model_fingerprint varchar",
        rows,
    )
    figures = _beside("hr_at_10", 0.64, 0.62, 0.66, 0.61, 0.03, 0.01, 0.05)
    baseline = {"name": "popularity", "words": "popularity: what most customers bought"}
    _card(folder, "recommend_category", "f06", figures, baseline, recipe="blend")


def _next_purchases(build: Path) -> None:
    """What every day says of the forecasts, without a training."""
    card = {
        "model": "next_purchases", "judged_as_of": "2024-03-31", "judged_by": "error_days",
        "baseline": {"name": "the category alone", "words": "the median of everybody's gaps in the category"},
        "split": "40 purchases of the 28 days up to 2024-03-31.", "notes": ["the interval held 79.0 %"],
        "metrics": _beside("error_days", 16.2, 15.4, 17.0, 17.3, 1.1, 0.914, 1.3),
    }  # fmt: skip
    _json(build / "features" / "judged.next_purchases.json", card)


def _beside(name: str, value, low, high, baseline, gain, gain_low, gain_high) -> dict[str, float]:
    """A figure beside its baseline as a card holds it."""
    return {
        name: value, f"{name}_low": low, f"{name}_high": high, f"baseline_{name}": baseline,
        f"baseline_{name}_low": baseline - 0.01, f"baseline_{name}_high": baseline + 0.01,
        f"{name}_gain": gain, f"{name}_gain_low": gain_low, f"{name}_gain_high": gain_high,
    }  # fmt: skip


def _card(
    folder: Path, target: str, fingerprint: str, figures: dict[str, float], baseline: dict[str, str], **more
) -> None:
    card = {
        "model": target, "version": "2", "run_id": "0a0a", "fingerprint": fingerprint, "training_as_of": "2024-03-31",
        "scored_as_of": "2024-03-31", "recipe": "the_only_one", "metrics": figures, "baseline": baseline,
        "split": "Learned from January, judged on February.", "notes": [f"few days {SCRIPT}"], "tried": [],
    }  # fmt: skip
    _json(folder / f"model.{target}.json", card | more)


def _gates(build: Path) -> None:
    for suite, passed in (("landing", True), ("profiles", False)):
        check = {
            "name": f"{suite}_is_{SCRIPT}", "table": "order_lines", "column": "net_amount", "severity": "warning",
            "passed": passed, "expected": "at most 5", "observed": "7", "failing_rows": 7, "where": "in 2024",
        }  # fmt: skip
        came = [
            {"source_name": source, "table_name": table, "load_date": "2024-03-30", "state": state, "said": said}
            for source, table, state, said in ARRIVALS
        ]  # fmt: skip
        _json(
            build / "gates" / f"{suite}.json",
            {"suite": suite, "passed": True, "checks": [check]} | ({"arrivals": came} if suite == "landing" else {}),
        )


def _ledger(settings: Settings, refused: int) -> None:
    day = date(2024, 3, 30)
    file = ("shop", "order_lines", "aa", "aa" * 32, "shop/lines.csv", day, RUN.known_at, 100, LINES + refused)
    rows = [(1, *file, "accepted", "", LINES, SPEND)]
    if refused:
        rows.append((1, *file, "quarantined", "TYPE", refused, None))
        again = ("shop", "order_lines", "aa", "aa" * 32, "shop/again.csv", day, RUN.known_at, 100, LINES + refused)
        rows.append((1, *again, "duplicate_file", "", LINES + refused, None))
        rows.append(
            (1, "shop", "products", "bb", "bb" * 32, "shop/products.csv", day, day, 9, 3, "accepted", "", 3, None)
        )
        late = ("shop", "order_lines", "cc", "cc" * 32, "shop/late.csv", date(2024, 4, 2), date(2024, 4, 2), 100, 5)
        rows.append((1, *late, "accepted", "", 5, "9.99"))
    _table(
        settings.home.ledger / "000001.parquet",
        "call_number bigint, source_name varchar, table_name varchar, file_id varchar, sha256 varchar, "
        "file_name varchar, load_date date, known_at date, bytes bigint, records_in bigint, outcome varchar, "
        "reason varchar, records bigint, net_amount decimal(18, 2)",
        rows,
    )


def _quarantine(settings: Settings) -> None:
    _table(
        settings.home.quarantine / "shop" / "order_lines" / "load_date=2024-03-30" / "aa.parquet",
        "source_name varchar, table_name varchar, file_id varchar, file_name varchar, record_number bigint, "
        "line_number bigint, reason varchar, detail varchar, raw_text varchar",
        [
            (
                "shop",
                "order_lines",
                "aa",
                "shop/lines.csv",
                21,
                22,
                "TYPE",
                "net_amount: not a decimal",
                "9,Anna Secret,x",
            )
        ],
    )


def _warehouse(settings: Settings) -> None:
    settings.home.warehouse.mkdir(parents=True)
    with duckdb.connect(str(settings.home.duckdb_file)) as warehouse:
        warehouse.execute("create schema features")
        columns = "customer_id varchar, ordered_on date, order_count bigint, net_amount decimal(18, 2)"
        warehouse.execute(f"create table features.customer_days ({columns})")
        for one in PEOPLE:
            rows = [(one.customer_id, date(2024, 3, 1), 1, one.spend)]
            rows += [(one.customer_id, date(2024, 3, 30), one.orders - 1, 0), (one.customer_id, date(2024, 4, 1), 1, 7)]
            warehouse.executemany("insert into features.customer_days values (?, ?, ?, ?)", rows)
    columns = {"customer_id": {"data_type": "varchar", "description": f"Who. {SCRIPT}"}}
    node = {"resource_type": "model", "columns": columns}
    manifest = {
        "sources": {
            "s": {"name": "order_lines", "source_name": "landed", "columns": {}, "description": "Lines."},
            "i": {"name": "customer_items", "source_name": "models", "columns": columns, "description": "Products."},
        },
        "nodes": {
            "a": {**node, "name": "stg_order_lines", "fqn": ["h", "staging", "a"], "depends_on": {"nodes": ["s"]}},
            "b": {**node, "name": "customer_features", "fqn": ["h", "features", "b"], "depends_on": {"nodes": ["a"]}},
            "p": {**node, "name": "purchases", "fqn": ["h", "features", "p"], "depends_on": {"nodes": ["a"]}},
            "c": {**node, "name": "customer_profiles", "fqn": ["h", "profiles", "c"],
                  "depends_on": {"nodes": ["b", "i"]}, "description": "One row per customer."},
        },
    }  # fmt: skip
    _json(settings.home.dbt_target / "manifest.json", manifest)


def _table(path: Path, columns: str, rows: list[tuple]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with duckdb.connect() as memory:
        memory.execute(f"create table made ({columns})")
        if rows:
            memory.executemany(f"insert into made values ({', '.join('?' * len(rows[0]))})", rows)
        memory.execute(f"copy made to '{path}' (format parquet)")


def _json(path: Path, content: dict | list) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content), encoding="utf-8")
