"""Words of a text column on Spark's executors, the same as on the driver."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from huaxiang.tokenizer import Tokenizer

if TYPE_CHECKING:
    from pyspark.sql import Column


def words(texts: Column, tokenizer: Tokenizer) -> Column:
    """An array of the words of each text, null where the text is null; `tokenizer` goes with its home's own words."""

    def cut(text: str | None) -> list[str] | None:
        return None if text is None else tokenizer.words(text)

    found: Column = F.udf(cut, "array<string>", useArrow=True)(texts)
    return found
