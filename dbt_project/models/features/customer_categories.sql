with

snapshots as (

    select * from {{ ref('snapshot_days') }}

),

days as (

    select * from {{ ref('customer_category_days') }}

),

ordered_days as (

    select distinct ordered_on from days

),

-- a power for each day, not for each of its rows
weights as (

    select
        snapshots.as_of,
        ordered_days.ordered_on,
        {{ interest_weight(days_between('ordered_days.ordered_on', 'snapshots.as_of')) }} as day_weight

    from snapshots
    inner join ordered_days on snapshots.as_of >= ordered_days.ordered_on

    where {{ in_window('ordered_days.ordered_on', 364) }}

),

recent_days as (

    select
        days.*,
        weights.as_of,
        weights.day_weight

    from weights
    inner join days on weights.ordered_on = days.ordered_on

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
