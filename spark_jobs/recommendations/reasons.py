"""Say why each product is on a list, in a sentence whose figures anyone can count in the stored purchases."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from spark_jobs.recommendations.lists import OWN, TOGETHER
from spark_jobs.recommendations.params import RecommendationParams

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame


def with_reasons(listed: DataFrame, purchases: DataFrame, as_of: date, params: RecommendationParams) -> DataFrame:
    """`listed` with the column `reason`: rows of `lists.ranked` and, of each product, `product_id`, `buyers`,
    `recent_buyers` and `popularity_rank` (1 is the most bought).

    `purchases` are all of them, no category left out, so that the sentences are true of the stored table.
    """
    rows = listed.join(_shares(listed, purchases), on=["product_id", "because"], how="left").withColumn(
        "last_on", F.date_sub(F.lit(as_of), F.col("age").cast("int"))
    )
    has_share = (F.col("kind") == TOGETHER) & (F.col("both") >= params.fewest_in_reason)
    return rows.withColumn(
        "reason", F.when(F.col("kind") == OWN, _own()).when(has_share, _together()).otherwise(_popular(params))
    )


def _shares(listed: DataFrame, purchases: DataFrame) -> DataFrame:
    """One row per product and product type named on a list: `both`, the customers who bought that type and the
    product, and `of`, those who bought the type."""
    asked = listed.where(F.col("because").isNotNull()).select("product_id", "because").distinct()
    by_type = (
        purchases.where(F.col("product_type").isNotNull())
        .select("customer_id", F.col("product_type").alias("because"))
        .distinct()
        .join(F.broadcast(asked.select("because").distinct()), on="because", how="left_semi")
        .cache()
    )
    of = by_type.groupBy("because").agg(F.count("*").alias("of"))
    buyers = (
        purchases.join(F.broadcast(asked.select("product_id").distinct()), on="product_id", how="left_semi")
        .select("customer_id", "product_id")
        .distinct()
    )
    both = (
        buyers.join(F.broadcast(asked), on="product_id", how="inner")
        .join(by_type, on=["customer_id", "because"], how="left_semi")
        .groupBy("product_id", "because")
        .agg(F.count("*").alias("both"))
    )
    return both.join(F.broadcast(of), on="because", how="inner")


def _own() -> Column:
    once = F.concat(F.lit("bought once, on "), F.col("last_on").cast("string"))
    often = F.concat(
        F.lit("bought "), F.col("times").cast("string"), F.lit(" times, last on "), F.col("last_on").cast("string")
    )
    return F.when(F.col("times") == 1, once).otherwise(often)


def _together() -> Column:
    percent = F.round(100.0 * F.col("both") / F.col("of")).cast("int")
    return F.concat(
        F.lit("new to this customer; "),
        percent.cast("string"),
        F.lit(" % of the customers who bought "),
        F.col("because"),
        F.lit(" also bought it ("),
        F.col("both").cast("string"),
        F.lit(" of "),
        F.col("of").cast("string"),
        F.lit(")"),
    )


def _popular(params: RecommendationParams) -> Column:
    first = F.when(F.col("popularity_rank") <= params.most_bought, F.lit("one of the most bought: by ")).otherwise(
        F.lit("bought by ")
    )
    days = F.lit(f" in the last {params.popularity_days} days")
    recent = F.concat(first, _customers("recent_buyers"), days)
    ever = F.concat(F.lit("bought by "), _customers("buyers"), F.lit(" so far"))
    return F.when(F.col("recent_buyers") > 0, recent).otherwise(ever)


def _customers(column: str) -> Column:
    noun = F.when(F.col(column) == 1, F.lit(" customer")).otherwise(F.lit(" customers"))
    return F.concat(F.col(column).cast("string"), noun)


def false_reasons(customer_items: str, purchases: str, as_of: date, params: RecommendationParams) -> str:
    """SQL for DuckDB: the rows of `customer_items` whose reason is not what the `purchases` say, or that break a rule
    (a product twice, a bought product as new). Both are Parquet paths. It recounts everything from single purchases.
    """
    since = as_of - timedelta(days=params.popularity_days)
    return f"""
with purchases as (select * from '{purchases}' where ordered_on <= date '{as_of}'),
items as (select * from '{customer_items}'),
own as (
    select customer_id, product_id, count(*) as times, max(ordered_on) as last_on from purchases group by all
),
recent as (
    select product_id, count(distinct customer_id) filter (where ordered_on > date '{since}') as recent_buyers,
        count(distinct customer_id) as buyers
    from purchases group by all
),
said as (
    select *, regexp_extract(reason, 'who bought (.*) also bought it \\([0-9]+ of [0-9]+\\)$', 1) as because from items
),
typed as (select distinct customer_id, product_type from purchases where product_type in (select because from said)),
of_type as (select product_type, count(*) as buyers_of_type from typed group by all),
both_bought as (
    select asked.product_id, asked.because, count(distinct own.customer_id) as both_buyers
    from (select distinct product_id, because from said where because <> '') as asked
    inner join own on asked.product_id = own.product_id
    inner join typed on own.customer_id = typed.customer_id and asked.because = typed.product_type
    group by all
),
recounted as (
    select said.*, own.times, own.last_on, recent_buyers, buyers, both_buyers, buyers_of_type,
        exists (
            select 1 from typed where typed.customer_id = said.customer_id and typed.product_type = said.because
        ) as bought_the_type,
        count(*) over (partition by said.customer_id, task, said.product_id) as listed
    from said
    left join own on said.customer_id = own.customer_id and said.product_id = own.product_id
    left join recent on said.product_id = recent.product_id
    left join both_bought on said.product_id = both_bought.product_id and said.because = both_bought.because
    left join of_type on said.because = of_type.product_type
)
select * from recounted
where listed > 1
    or (task = 'new' and times is not null)
    or not coalesce(case
        when times = 1 and reason = 'bought once, on ' || last_on then true
        when times > 1 and reason = 'bought ' || times || ' times, last on ' || last_on then true
        when because <> '' then times is null and bought_the_type and reason = 'new to this customer; '
            || cast(round(100.0 * both_buyers / buyers_of_type) as int) || ' % of the customers who bought ' || because
            || ' also bought it (' || both_buyers || ' of ' || buyers_of_type || ')'
        when reason like '% in the last {params.popularity_days} days' then reason in (
            'one of the most bought: by ' || recent_buyers || ' customers in the last {params.popularity_days} days',
            'bought by ' || recent_buyers || ' customers in the last {params.popularity_days} days',
            'bought by 1 customer in the last {params.popularity_days} days'
        ) and (recent_buyers = 1) = contains(reason, ' 1 customer ')
        when reason like 'bought by % so far' then reason in (
            'bought by ' || buyers || ' customers so far', 'bought by 1 customer so far'
        ) and (buyers = 1) = contains(reason, ' 1 customer ')
    end, false)
"""
