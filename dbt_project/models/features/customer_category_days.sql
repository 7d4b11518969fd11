{{
    config(
        materialized='incremental',
        incremental_strategy='replace_days',
        unique_key=['customer_id', 'category', 'ordered_on'],
        partition_by=partitioned_by_day(),
    )
}}

with

days as (

    {{ days_to_build() }}

),

lines as (

    select
        *,
        -- more than 100 is no count of pieces but a weight or a volume, such as fuel
        quantity > 100 as is_bulk
    from {{ ref('stg_order_lines') }}

),

products as (

    select
        product_id,
        category
    from {{ ref('stg_products') }}

),

customer_category_days as (

    select
        lines.customer_id,
        products.category,
        days.ordered_on,
        -- a return takes its purchase back
        cast(sum(case when lines.is_return then -1 else 1 end) as bigint) as purchase_count,
        cast(count(*) as bigint) as line_count,
        cast(count(*) filter (where lines.is_bulk) as bigint) as bulk_line_count,
        cast(coalesce(sum(lines.quantity) filter (where not lines.is_bulk), 0) as decimal(18, 3)) as priced_quantity,
        cast(
            coalesce(sum(lines.gross_amount) filter (where not lines.is_bulk and lines.quantity <> 0), 0) as decimal(18, 2)
        ) as priced_amount,
        days.day_fingerprint

    from days
    inner join lines on days.ordered_on = lines.ordered_on
    inner join products on lines.product_id = products.product_id

    where products.category is not null

    group by lines.customer_id, products.category, days.ordered_on, days.day_fingerprint

)

select * from customer_category_days
