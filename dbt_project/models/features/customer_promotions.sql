with

snapshots as (

    select * from {{ ref('snapshot_days') }}

),

days as (

    select * from {{ ref('customer_promotion_days') }}

),

customers as (

    select
        days.customer_id,
        snapshots.as_of,
        sum(days.product_count) as product_count,
        sum(days.displayed_count) as displayed_count,
        sum(days.mailed_count) as mailed_count

    from snapshots
    inner join days on snapshots.as_of >= days.ordered_on

    where {{ in_window('days.ordered_on', 364) }}

    group by days.customer_id, snapshots.as_of

),

customer_promotions as (

    select
        customer_id,
        as_of,
        {{ ratio('displayed_count', 'product_count') }} as display_share,
        {{ ratio('mailed_count', 'product_count') }} as mailer_share,
        -- against what all customers together buy of it
        {{ ratio(
            'displayed_count * sum(product_count) over (partition by as_of)',
            'product_count * sum(displayed_count) over (partition by as_of)',
        ) }} as display_index,
        {{ ratio(
            'mailed_count * sum(product_count) over (partition by as_of)',
            'product_count * sum(mailed_count) over (partition by as_of)',
        ) }} as mailer_index

    from customers

)

select * from customer_promotions
