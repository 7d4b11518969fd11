"""Tags as one SQL query: a row per customer and tag. dbt runs it, and so does whoever looks at tags beforehand."""

from __future__ import annotations

from collections.abc import Sequence

from huaxiang.tags.order import in_reading_order
from huaxiang.tags.tag import Tag, column_of

_NOBODY = """select
    customer_id,
    as_of,
    '' as tag,
    cast(null as string) as value,
    cast(null as double) as confidence,
    cast(null as string) as evidence,
    '' as source
from {source}
where false"""


def tag_rows(tags: Sequence[Tag], source: str, engine: str = "duckdb") -> str:
    """The query over the table `source` of portraits: customer_id, as_of, tag, value (null: does not apply),
    confidence, evidence, source.

    A tag that others read becomes a column first, in reading order. Expressions are the same on DuckDB and Spark; only
    how they become rows differs. Manual tags are no expressions, so they are not in it.
    """
    computed = [tag for tag in in_reading_order(tags) if tag.kind != "manual"]
    is_read = {name for tag in computed for name in tag.reads}
    steps, last = [], source
    for tag in computed:
        if tag.name in is_read:
            column = column_of(tag.name)
            steps.append(
                f"with_{column} as (\n    select {last}.*, cast({tag.value} as string) as {column}\n    from {last}\n)"
            )
            last = f"with_{column}"
    each = [_columns(tag, tag.name in is_read) for tag in computed]
    rows = (_rows_on_spark if engine == "spark" else _rows)(each, last) if each else _NOBODY.format(source=source)
    return ("with\n" + ",\n".join(steps) + "\n" if steps else "") + rows


def manual_rows(tags: Sequence[Tag], portraits: str, statements: str) -> str:
    """The query of what people say, with the columns of `tag_rows`: of whoever has a portrait, while it holds.

    `statements` are what was last said, a row per customer and tag. A null value, which takes back, makes no row.
    """
    allowed = [
        (f"'{tag.name}'", _literal(value) if value else "null", str(tag.ttl_days))
        for tag in tags
        if tag.kind == "manual"
        for value in tag.values or ("",)
    ] or [("''", "null", "0")]
    lines = "\n    union all\n".join(
        f"    select {tag} as tag, cast({value} as string) as value, {days} as ttl_days" for tag, value, days in allowed
    )
    return f"""with
allowed_values as (
{lines}
)

select
    portraits.customer_id,
    portraits.as_of,
    statements.tag,
    statements.value,
    cast(1 as double) as confidence,
    'said by ' || statements.said_by || ' on ' || cast(statements.said_on as string)
    || coalesce(': ' || statements.reason, '') as evidence,
    'manual' as source
from {statements} as statements
inner join {portraits} as portraits on statements.customer_id = portraits.customer_id
inner join allowed_values
    on
        statements.tag = allowed_values.tag
        and statements.value = coalesce(allowed_values.value, statements.value)
where statements.age_days <= allowed_values.ttl_days"""


def _columns(tag: Tag, is_column: bool) -> str:
    value = column_of(tag.name) if is_column else f"cast({tag.value} as string)"
    return f"""    '{tag.name}' as tag,
    {value} as value,
    cast({tag.confidence} as double) as confidence,
    cast({tag.evidence} as string) as evidence,
    '{tag.kind}' as source"""


def _rows(each: Sequence[str], source: str) -> str:
    return "\nunion all\n".join(f"select\n    customer_id,\n    as_of,\n{one}\nfrom {source}" for one in each)


def _rows_on_spark(each: Sequence[str], source: str) -> str:
    """All tags of a portrait in one scan: of a union Spark would plan every tag's branch down to the files."""
    rows = ",\n".join(f"struct(\n{one}\n)" for one in each)
    return f"select\n    customer_id,\n    as_of,\n    inline(array(\n{rows}\n))\nfrom {source}"


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
