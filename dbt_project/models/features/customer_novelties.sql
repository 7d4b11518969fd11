with

snapshots as (

    select * from {{ ref('snapshot_days') }}

),

-- customer_category_days holds the history: the first purchase of a category is looked for in all of it
first_days as (

    select
        customer_id,
        category,
        min(ordered_on) as first_on
    from {{ ref('customer_category_days') }}

    where purchase_count > 0

    group by customer_id, category

),

customer_novelties as (

    select
        first_days.customer_id,
        snapshots.as_of,
        count(*) filter (where {{ in_window('first_days.first_on', 28) }}) as new_category_count_28d,
        count(*) filter (where {{ in_window('first_days.first_on', 91) }}) as new_category_count_91d

    from snapshots
    inner join first_days on snapshots.as_of >= first_days.first_on

    group by first_days.customer_id, snapshots.as_of

)

select * from customer_novelties
