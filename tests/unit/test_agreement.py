"""What is seen of a candidate beside the champion, worked out by hand."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from huaxiang.models import agreement


def scores(folder: Path, probabilities: list[float | None], target: str = "churn_28d") -> Path:
    folder.mkdir()
    rows = [
        {"customer_id": f"c{n:02}", "target": target, "category": "", "probability": value}
        for n, value in enumerate(probabilities)
    ]
    pd.DataFrame(rows).to_parquet(folder / "customer_scores.parquet")
    return folder


@pytest.fixture
def champion(tmp_path) -> Path:
    """Twenty customers, the last the likeliest."""
    return scores(tmp_path / "before", [n / 100 for n in range(20)])


def of(before: Path, after: Path) -> tuple[list[str], str]:
    return agreement.of("scores", "churn_28d", before, after)


def test_the_same_scores_agree_wholly(champion):
    assert of(champion, champion) == ([], "20 customers, the champion 20; 100.0% of the likeliest tenth the same")


def test_one_of_the_two_likeliest_is_another(champion, tmp_path):
    after = scores(tmp_path / "after", [0.9, *(n / 100 for n in range(1, 20))])
    assert of(champion, after) == ([], "20 customers, the champion 20; 50.0% of the likeliest tenth the same")


def test_too_few_customers_and_no_probabilities_are_faults(champion, tmp_path):
    faults, _ = of(champion, scores(tmp_path / "after", [n / 10 for n in range(19)]))
    assert faults == ["covers 19 customers, the champion 20", "8 probabilities are none"]  # 1.1 to 1.8
    assert of(champion, scores(tmp_path / "none", [None] * 20))[0] == ["20 probabilities are none"]


def test_a_candidate_that_writes_nothing_has_a_fault_unless_the_champion_does_not_either(champion, tmp_path):
    assert of(champion, tmp_path) == (["writes no customer_scores"], "no customer_scores")
    assert of(tmp_path, tmp_path)[0] == []
    assert of(tmp_path, champion) == ([], "writes customer_scores, the champion none")


def test_lists_agree_by_their_products(tmp_path):
    for folder, products in (("before", "abcd"), ("after", "abxy")):
        rows = [{"customer_id": "anna", "task": "any", "product_id": one} for one in products]
        other = [{"customer_id": "anna", "task": "new", "product_id": folder}]
        (tmp_path / folder).mkdir()
        pd.DataFrame(rows + other).to_parquet(tmp_path / folder / "customer_items.parquet")
    said = agreement.of("recommendations", "recommend_any", tmp_path / "before", tmp_path / "after")
    assert said == ([], "1 customers, the champion 1; 50.0% of recommended products the same")
