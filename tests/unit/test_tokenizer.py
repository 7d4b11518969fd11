"""Words of texts: Chinese by a dictionary, all others by their letters."""

from __future__ import annotations

import pickle
from dataclasses import replace
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest

from huaxiang.errors import BadConfiguration
from huaxiang.settings import Settings, load_settings
from huaxiang.tables import Home
from huaxiang.tokenizer import Tokenizer, load_stop_words, load_tokenizer
from huaxiang.warehouse.product_words import write_product_words

DISH = "黄焖鸡米饭很好吃"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A home without dictionaries."""
    return replace(load_settings(), config=tmp_path / "huaxiang.yml", home=Home(tmp_path / "var"))


def _dictionary(settings: Settings, name: str, text: str) -> Path:
    path = settings.config.parent / "dictionaries" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_chinese_is_cut_by_the_dictionary():
    assert Tokenizer().words("方便，快捷，味道可口") == ["方便", "快捷", "味道", "可口"]


def test_a_word_of_the_trade_stays_whole(settings):
    assert load_tokenizer(settings).words(DISH) == ["黄焖", "鸡", "米饭", "很", "好吃"]
    _dictionary(settings, "food.txt", "# dishes\n黄焖鸡米饭  # a stew\n\n")
    assert load_tokenizer(settings).words(DISH) == ["黄焖鸡米饭", "很", "好吃"]


def test_letters_make_words_and_numbers_do_not():
    assert Tokenizer().words("SOFT DRINKS 12/18&15PK Men's Crème_ＦＵＬＬ") == [
        "soft", "drinks", "pk", "men's", "crème", "full",
    ]  # fmt: skip


def test_scripts_side_by_side_are_cut_apart():
    assert Tokenizer().words("iPhone手机壳 чай") == ["iphone", "手机", "壳", "чай"]


def test_a_text_without_words_has_none():
    assert Tokenizer().words("12/18 &!") == []
    assert Tokenizer().words("") == []


def test_a_tokenizer_that_travels_keeps_its_words():
    own = Tokenizer(("黄焖鸡米饭",))
    assert pickle.loads(pickle.dumps(own)).words(DISH) == own.words(DISH) != Tokenizer().words(DISH)


@pytest.mark.parametrize("word", ["tea", "鸡", "黄焖 鸡"])
def test_what_is_no_chinese_word_is_named_with_its_line(settings, word):
    path = _dictionary(settings, "food.txt", f"黄焖鸡米饭\n{word}\n")
    with pytest.raises(BadConfiguration, match=f"{path}:2: '{word}' is not a Chinese word"):
        load_tokenizer(settings)


def test_a_dictionary_of_another_encoding_is_refused(settings):
    path = _dictionary(settings, "food.txt", "")
    path.write_bytes("黄焖鸡米饭".encode("gb18030"))
    with pytest.raises(BadConfiguration, match=r"food\.txt: is not UTF-8"):
        load_tokenizer(settings)


def test_stop_words_are_no_words_of_the_trade(settings):
    assert load_stop_words(settings) == frozenset()
    _dictionary(settings, "stop_words.txt", "PACK\n的\n")
    assert load_stop_words(settings) == {"pack", "的"}
    assert load_tokenizer(settings).own == ()


def test_the_words_of_a_catalogue_are_each_product_types_telling_ones(settings):
    _dictionary(settings, "stop_words.txt", "pack\n")
    settings.home.warehouse.mkdir(parents=True)
    with duckdb.connect(str(settings.home.duckdb_file)) as connection:
        connection.execute("create schema staging; create table staging.stg_products (product_type varchar)")
        connection.execute("insert into staging.stg_products values ('TEA TEA 20 CT PACK'), ('绿茶的茶'), (null)")
    write_product_words(settings)
    rows = pq.read_table(settings.home.product_words).to_pylist()
    assert [(row["product_type"], row["word"]) for row in rows] == [("TEA TEA 20 CT PACK", "tea"), ("绿茶的茶", "绿茶")]
