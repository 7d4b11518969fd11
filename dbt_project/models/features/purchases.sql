{{
    config(
        materialized='incremental',
        incremental_strategy='replace_days',
        unique_key=['order_id', 'product_id', 'ordered_on'],
        partition_by=partitioned_by_day(),
    )
}}

with

days as (

    {{ days_to_build() }}

),

lines as (

    select * from {{ ref('stg_order_lines') }}
    where product_id is not null and not is_return

),

products as (

    select
        product_id,
        category,
        product_type
    from {{ ref('stg_products') }}

),

purchases as (

    select
        lines.order_id,
        lines.customer_id,
        lines.product_id,
        products.category,
        products.product_type,
        days.ordered_on,
        days.day_fingerprint

    from days
    inner join lines on days.ordered_on = lines.ordered_on
    left join products on lines.product_id = products.product_id

    group by
        lines.order_id,
        lines.customer_id,
        lines.product_id,
        products.category,
        products.product_type,
        days.ordered_on,
        days.day_fingerprint

)

select * from purchases
