-- On every snapshot day the features count exactly the orders of the local days up to it.
with

snapshots as (

    select * from {{ ref('snapshot_days') }}

),

orders as (

    select * from {{ ref('stg_orders') }}

),

staged as (

    select
        snapshots.as_of,
        count(orders.order_id) as order_count

    from snapshots
    left join orders on snapshots.as_of >= orders.ordered_on

    group by snapshots.as_of

),

counted as (

    select
        as_of,
        sum(order_count) as order_count

    from {{ ref('customer_features') }}

    group by as_of

)

select
    staged.as_of,
    staged.order_count as staged_orders,
    counted.order_count as counted_orders
from staged
left join counted on staged.as_of = counted.as_of
where staged.order_count <> coalesce(counted.order_count, 0)
