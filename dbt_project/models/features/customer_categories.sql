with

snapshots as (

    select * from {{ ref('snapshot_days') }}

),

days as (

    select * from {{ ref('customer_category_days') }}

),

recent_days as (

    select
        days.*,
        snapshots.as_of,
        {{ interest_weight(days_between('days.ordered_on', 'snapshots.as_of')) }} as day_weight

    from snapshots
    inner join days on snapshots.as_of >= days.ordered_on

    where {{ in_window('days.ordered_on', 364) }}

),

customer_categories as (

    select
        customer_id,
        as_of,
        category,
        cast(sum(purchase_count) as bigint) as purchase_count,
        cast(sum(cast(purchase_count as decimal(6, 0)) * day_weight) as decimal(28, 9)) as decayed_purchases,
        cast(sum(line_count) as bigint) as line_count,
        cast(sum(bulk_line_count) as bigint) as bulk_line_count,
        cast(sum(priced_quantity) as decimal(18, 3)) as priced_quantity,
        cast(sum(priced_amount) as decimal(18, 2)) as priced_amount

    from recent_days

    group by customer_id, as_of, category

)

select * from customer_categories
