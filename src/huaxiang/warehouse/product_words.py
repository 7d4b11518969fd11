"""The words of the catalogue, for the SQL that says which words are a customer's own."""

from __future__ import annotations

from huaxiang.files import replacing
from huaxiang.settings import Settings
from huaxiang.tokenizer import load_stop_words, load_tokenizer
from huaxiang.warehouse import state

_SHORTEST, _SHORTEST_LATIN = 2, 3  # one Chinese character is mostly grammar, PK and CT are packages


def write_product_words(settings: Settings) -> None:
    """Write `product_words.parquet` of the warehouse: one row per product type of staging and word in it.

    Raises BadConfiguration when a dictionary of the home holds what is no word.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    with state.reading(settings) as connection:
        types = connection.execute(
            "select distinct product_type from staging.stg_products where product_type is not null order by 1"
        ).fetchall()
    tokenizer, idle = load_tokenizer(settings), load_stop_words(settings)
    rows = [
        (text, word)
        for (text,) in types
        for word in sorted(set(tokenizer.words(text)) - idle)
        if len(word) >= (_SHORTEST_LATIN if word.isascii() else _SHORTEST)
    ]
    columns = {name: [row[place] for row in rows] for place, name in enumerate(("product_type", "word"))}
    schema = pa.schema([(name, pa.string()) for name in columns])
    with replacing(settings.home.product_words) as temporary:
        pq.write_table(pa.table(columns, schema=schema), temporary)
