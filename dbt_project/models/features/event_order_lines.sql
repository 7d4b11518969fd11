{{ config(materialized='view') }}

with

lines as (

    select
        *,
        {{ local_time('ordered_at') }} as ordered_at_local
    from {{ ref('stg_order_lines') }}

),

products as (

    select * from {{ ref('stg_products') }}

),

order_line_events as (

    select
        lines.customer_id,
        lines.ordered_on as happened_on,
        cast(lines.ordered_at as string) || ' ' || lines.order_line_id as event_key,
        lines.order_id,
        lines.product_id,
        products.department,
        products.category,
        products.product_type,
        products.is_private_label,
        products.manufacturer_id,
        lines.store_id,
        lines.quantity,
        lines.gross_amount,
        lines.discount_amount,
        lines.coupon_amount,
        lines.net_amount,
        lines.is_return,
        {{ day_of_week('lines.ordered_on') }} as weekday,
        cast(hour(lines.ordered_at_local) as bigint) as hour

    from lines
    left join products on lines.product_id = products.product_id

)

select * from order_line_events
