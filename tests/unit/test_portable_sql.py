"""The SQL of the models and tags reads the same on DuckDB and Spark: what does not is kept in macros/engines.sql."""

import re
from pathlib import Path

import pytest
import yaml

from huaxiang.settings import PROJECT

DBT = PROJECT / "dbt_project"

# What exists on one engine only, or silently differs (design.md, "Two engines").
BANNED = {
    r"\bexclude\s*\(|\*\s*except\b": "name the columns",
    r"\barg_m(ax|in)\b": "max_by or min_by",
    r"\bquantile_(cont|disc)\b": "percentile_cont within group",
    r"\bstrftime\b|\bstrptime\b|\bdate_format\b": "cast to text in a macro",
    r"\bisodow\b|\bdayofweek\b|\bweekday\s*\(": "the macro day_of_week",
    r"\bdate_diff\b|\bdatediff\b": "the macro days_between",
    r"\bat time zone\b|\bfrom_utc_timestamp\b": "the macro local_time",
    r"\brange\s*\(": "a table of days",
    r"\banti\s+join\b": "left join and is null",
    r"\bsemi\s+join\b": "in (select ...)",
    r"\bstring_agg\b|\barray_agg\b|\blist\s*\(|\bcollect_list\b": "a macro for ordered aggregates",
    r"\bunnest\b|\bexplode\b": "a macro for unnesting",
    r"(?<!')\bavg\s*\(": "two sums and the macro ratio: an average of decimals differs",
    r"\bconcat\s*\(": "||, since concat treats null differently",
    r"\bhash\s*\(": "md5",
    r"\bexp\s*\(": "power: the last bit of exp differs",
    r"\bntile\s*\(": "the macro quintile: ntile splits equal figures",
    r"\bnow\s*\(|\bcurrent_(date|timestamp)\b|\btoday\s*\(": "as_of or known_at: nothing asks the clock",
    r"\brandom\s*\(|\brand\s*\(": "a hash of the key",
    r"::": "cast(x as type)",
    r"\bround\s*\((?:[^()]|\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\))*,\s*\d+\s*\)": "the macro rounded: a 5 differs",
    r"\bas varchar\b": "cast(x as string): Spark's varchar needs a length",
    r"\blog\s*\(": "ln or log10: log has another base on each",
    r"(?<!:)//": "floor(a / b): whole division is spelled differently",
    r"\b(any_value|first|last|mode)\s*\(": "min_by or row_number with a key: which row is taken is chance",
    r"\bas (int|integer)\b": "cast(round(x) as bigint): a cast to int rounds on one engine and cuts on the other",
}


# A double as text: cut to six decimals first, which is exact for figures that were rounded to six, then the decimal is
# rounded alike on both. Straight from the double, 32.745 is 32.74 on one engine and 32.75 on the other.
CUT_DOUBLE = r"(?<!as decimal\(18, 6\)\)) as decimal\(\d+, [0-5]\)"


def findings(sql: str) -> list[str]:
    """The banned words in a text, comments left aside."""
    code = re.sub(r"\{#.*?#\}", "", re.sub(r"--[^\n]*", "", sql), flags=re.DOTALL).lower()
    return [f"'{found[0]}': use {instead}" for word, instead in BANNED.items() if (found := re.search(word, code))]


def model_files() -> list[Path]:
    files = [*DBT.glob("models/**/*.sql"), *DBT.glob("tests/**/*.sql"), *DBT.glob("macros/*.sql")]
    return [path for path in files if path.name != "engines.sql"]


@pytest.mark.parametrize("path", model_files(), ids=lambda path: path.name)
def test_models_use_only_what_both_engines_understand(path: Path) -> None:
    assert findings(path.read_text()) == []


@pytest.mark.parametrize("path", sorted((PROJECT / "tags").glob("*.yml")), ids=lambda path: path.stem)
def test_tags_use_only_what_both_engines_understand(path: Path) -> None:
    tag = yaml.safe_load(path.read_text())
    sql = "\n".join(str(tag.get(key, "")) for key in ("value", "evidence", "confidence"))
    assert findings(sql) == []
    assert not re.search(CUT_DOUBLE, sql), "write cast(cast(x as decimal(18, 6)) as decimal(18, 2))"


def test_a_double_cut_straight_to_cents_is_found() -> None:
    assert re.search(CUT_DOUBLE, "cast(cast(basket_net_mean as decimal(18, 2)) as string)")
    assert not re.search(CUT_DOUBLE, "cast(cast(cast(mean as decimal(18, 6)) as decimal(18, 2)) as string)")


@pytest.mark.parametrize(
    "sql",
    [
        "select * exclude (a) from b",
        "select arg_max(a, b)",
        "select date_diff('day', a, b)",
        "select cast(a as int)",
        "select a::date",
        "select avg(net_amount)",
        "select current_date",
        "from a anti join b using (x)",
        "select round(cast(a as double) / sum(coalesce(b, 0)), 6)",
        "select cast(a as varchar)",
        "select log(a)",
        "select a // b",
        "select any_value(a)",
    ],
)
def test_a_banned_word_is_found(sql: str) -> None:
    assert findings(sql)


def test_words_in_comments_and_names_are_no_findings() -> None:
    sql = "-- avg(x) would differ\nselect day_range, list_name, cast(a as bigint) {# exp(x) #} from weekday_counts"
    assert findings(sql) == []


def test_rounding_to_whole_numbers_is_no_finding() -> None:
    assert findings("select cast(round(100 * coalesce(share, 0)) as bigint), cast(round(a) as decimal(18, 2))") == []


def test_every_model_has_its_twin() -> None:
    for path in DBT.glob("models/*/*.sql"):
        described = yaml.safe_load(path.with_suffix(".yml").read_text())["models"]
        assert [one["name"] for one in described] == [path.stem]
        assert "one row per" in described[0]["description"].lower(), f"{path.stem}: say the grain"


def test_a_column_is_described_the_same_wherever_it_is_passed_on() -> None:
    """customer_profiles passes features and behaviour on: same types, words and needs, in the same order."""
    features, behaviour, profiles = (
        described(name)
        for name in ("features/customer_features", "features/customer_behaviour", "profiles/customer_profiles")
    )
    assert profiles[: len(features)] == features
    passed_on = behaviour[2:]  # all but the key
    begin = profiles.index(passed_on[0])
    assert profiles[begin : begin + len(passed_on)] == passed_on


def described(model: str) -> list[tuple]:
    """A model's columns: name, type, words, needs. The rows they come from are said in the portrait alone."""
    columns = yaml.safe_load((DBT / f"models/{model}.yml").read_text())["models"][0]["columns"]
    return [
        (
            column["name"],
            column["data_type"],
            column["description"],
            column.get("config", {}).get("meta", {}).get("needs"),
        )
        for column in columns
    ]
