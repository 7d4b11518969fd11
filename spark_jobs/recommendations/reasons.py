"""Say why each product is on a list, in a sentence whose figures anyone can count in the stored purchases."""

from __future__ import annotations

from datetime import date, timedelta

from spark_jobs.recommendations.lists import OWN, TOGETHER
from spark_jobs.recommendations.params import RecommendationParams


def statement(listed: str, products: str, purchases: str, params: RecommendationParams) -> str:
    """SQL for DuckDB and Spark: the rows to release, each with its `reason`, in no order.

    `listed` has the rows of `lists.listed`, `products` those of `Catalogue.named`. `purchases` are all of them, no
    category left out, so that the sentences are true of the stored table.
    """
    has_share = f"kind = '{TOGETHER}' and both_count >= {params.fewest_in_reason}"
    return f"""
with named as (
    select
        listed.customer_id, products.product_id, listed.task, listed.rank, listed.score, listed.kind, listed.because,
        listed.times, listed.last_on, listed.model_fingerprint, products.buyers, products.recent_buyers,
        products.popularity_rank
    from {listed} as listed
    inner join {products} as products on listed.item = products.item
),
asked as (select distinct product_id, because from named where because is not null),
typed as (
    select distinct customer_id, product_type as because from {purchases}
    where product_type in (select because from asked)
),
of_type as (select because, count(*) as of_count from typed group by because),
bought as (
    select distinct customer_id, product_id from {purchases} where product_id in (select product_id from asked)
),
both_bought as (
    select asked.product_id, asked.because, count(*) as both_count
    from asked
    inner join bought on asked.product_id = bought.product_id
    inner join typed on bought.customer_id = typed.customer_id and asked.because = typed.because
    group by asked.product_id, asked.because
)
select
    named.customer_id, named.product_id, named.task, named.rank, named.score,
    case
        when kind = '{OWN}' and times = 1 then concat('bought once, on ', cast(last_on as string))
        when kind = '{OWN}' then concat('bought ', cast(times as string), ' times, last on ', cast(last_on as string))
        when {has_share} then concat(
            'new to this customer; ', cast(cast(round(100e0 * both_count / of_count) as int) as string),
            ' % of the customers who bought ', named.because,
            ' also bought it (', cast(both_count as string), ' of ', cast(of_count as string), ')'
        )
        when recent_buyers > 0 then concat(
            case when popularity_rank <= {params.most_bought} then 'one of the most bought: by ' else 'bought by ' end,
            {_customers("recent_buyers")}, ' in the last {params.popularity_days} days'
        )
        else concat('bought by ', {_customers("buyers")}, ' so far')
    end as reason,
    named.model_fingerprint
from named
left join both_bought on named.product_id = both_bought.product_id and named.because = both_bought.because
left join of_type on named.because = of_type.because
"""


def _customers(column: str) -> str:
    return f"cast({column} as string), case when {column} = 1 then ' customer' else ' customers' end"


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
