{{
    config(
        materialized='incremental',
        incremental_strategy='replace_days',
        unique_key=['order_id'],
        partition_by=partitioned_by_day(),
    )
}}

with

days as (

    {{ days_to_build() }}

),

orders as (

    select * from {{ ref('stg_orders') }}

),

lines as (

    select * from {{ ref('stg_order_lines') }}
    where product_id is not null and not is_return

),

order_baskets as (

    select
        orders.order_id,
        orders.customer_id,
        orders.store_id,
        orders.ordered_hour,
        days.ordered_on,
        count(distinct lines.product_id) as product_count,
        days.day_fingerprint

    from days
    inner join orders on days.ordered_on = orders.ordered_on
    left join lines
        on
            orders.order_id = lines.order_id
            and orders.ordered_on = lines.ordered_on

    group by
        orders.order_id,
        orders.customer_id,
        orders.store_id,
        orders.ordered_hour,
        days.ordered_on,
        days.day_fingerprint

)

select * from order_baskets
