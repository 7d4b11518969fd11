"""What cutting texts into words costs and brings: `python -m benchmarks.words`.

Reviews in Chinese, told apart into good and bad by words and by pairs of characters: logistic regression over TF-IDF,
five folds of texts made unique. The reviews have no days, so folds stand in for a split by time.
"""

from __future__ import annotations

import csv
import gzip
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np

from huaxiang.judging import resampling
from huaxiang.settings import PROJECT
from huaxiang.tokenizer import Tokenizer

REVIEWS = PROJECT / "tests" / "data" / "waimai_reviews" / "waimai_10k.csv.gz"
FOLDS = 5


def main() -> None:
    """Print rows a second, and the accuracy of each way with the paired gain over single characters and their pairs."""
    texts, labels = read(REVIEWS)
    tokenizer = Tokenizer()
    tokenizer.words("词")  # loads the dictionary
    began = time.process_time()
    for text in texts:
        tokenizer.words(text)
    print(f"{len(texts):,} reviews, {len(texts) / (time.process_time() - began):,.0f} a second on one core")
    ways: dict[str, Callable[[str], list[str]]] = {
        "characters and their pairs": characters,
        "words": tokenizer.words,
        "words and their pairs": lambda text: with_pairs(tokenizer.words(text)),
        "words, and characters and their pairs": lambda text: tokenizer.words(text) + characters(text),
    }
    right = {name: judged(texts, labels, cut) for name, cut in ways.items()}
    baseline, drawn = next(iter(ways)), resampling.draws(len(texts), 1000, seed=0)
    print(f"commonest label {max(labels.mean(), 1 - labels.mean()):.4f}")
    for name, hits in right.items():
        gain = resampling.mean(hits - right[baseline], drawn).interval()
        said = "" if name == baseline else f", {gain.value:+.4f} [{gain.low:+.4f}, {gain.high:+.4f}]"
        print(f"{name}: {hits.mean():.4f}{said}")


def read(path: Path) -> tuple[list[str], np.ndarray]:
    """The texts, each once, and their labels; a text with both labels is left out."""
    with gzip.open(path, "rt", encoding="utf-8-sig", newline="") as lines:
        said: dict[str, set[int]] = {}
        for row in csv.DictReader(lines):
            said.setdefault(row["review"].strip("\ufeff "), set()).add(int(row["label"]))
    kept = {text: labels.pop() for text, labels in said.items() if len(labels) == 1}
    return list(kept), np.array(list(kept.values()))


def characters(text: str) -> list[str]:
    """Single characters and neighbouring pairs, without spaces."""
    return with_pairs(list("".join(text.casefold().split())))


def with_pairs(parts: list[str]) -> list[str]:
    """The parts, and each two neighbours as one."""
    return parts + [f"{left} {right}" for left, right in pairwise(parts)]


def judged(texts: list[str], labels: np.ndarray, cut: Callable[[str], list[str]]) -> np.ndarray:
    """One for each text that a fit without its fold gets right, else zero."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedKFold, cross_val_predict
    from sklearn.pipeline import make_pipeline

    counted = TfidfVectorizer(analyzer=cut, min_df=2, sublinear_tf=True)
    model = make_pipeline(counted, LogisticRegression(C=10.0, max_iter=1000))
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=0)
    return (cross_val_predict(model, texts, labels, cv=folds) == labels).astype(float)


if __name__ == "__main__":
    main()
