{{
    config(
        materialized='incremental',
        incremental_strategy='replace_days',
        unique_key=['customer_id', 'ordered_on'],
        partition_by=partitioned_by_day(),
    )
}}

with

days as (

    {{ days_to_build() }}

),

lines as (

    select * from {{ ref('stg_order_lines') }}

),

products as (

    select
        product_id,
        is_private_label
    from {{ ref('stg_products') }}

),

orders as (

    select * from {{ ref('stg_orders') }}

),

activity as (

    select
        days.ordered_on,
        days.day_fingerprint,
        lines.customer_id,
        0 as order_count,
        1 as line_count,
        lines.net_amount,
        -- what was bought, returns apart: shares of it stay between 0 and 1
        case when lines.is_return then 0 else lines.gross_amount end as bought_amount,
        case when lines.is_return then 0 else lines.discount_amount end as discount_amount,
        case when lines.is_return then 0 else lines.coupon_amount end as coupon_amount,
        case when lines.is_return or products.is_private_label is null then 0 else lines.gross_amount end as labelled_amount,
        case when not lines.is_return and products.is_private_label then lines.gross_amount else 0 end as private_label_amount

    from days
    inner join lines on days.ordered_on = lines.ordered_on
    left join products on lines.product_id = products.product_id

    union all

    select
        days.ordered_on,
        days.day_fingerprint,
        orders.customer_id,
        1 as order_count,
        0 as line_count,
        0 as net_amount,
        0 as bought_amount,
        0 as discount_amount,
        0 as coupon_amount,
        0 as labelled_amount,
        0 as private_label_amount

    from days
    inner join orders on days.ordered_on = orders.ordered_on

),

customer_days as (

    select
        customer_id,
        ordered_on,
        cast(sum(order_count) as bigint) as order_count,
        cast(sum(line_count) as bigint) as line_count,
        cast(sum(net_amount) as decimal(18, 2)) as net_amount,
        cast(sum(bought_amount) as decimal(18, 2)) as bought_amount,
        cast(sum(discount_amount) as decimal(18, 2)) as discount_amount,
        cast(sum(coupon_amount) as decimal(18, 2)) as coupon_amount,
        cast(sum(labelled_amount) as decimal(18, 2)) as labelled_amount,
        cast(sum(private_label_amount) as decimal(18, 2)) as private_label_amount,
        day_fingerprint

    from activity

    group by customer_id, ordered_on, day_fingerprint

)

select * from customer_days
