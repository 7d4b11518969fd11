{{
    config(
        materialized='table' if target.type == 'spark' else 'incremental',
        incremental_strategy='replace_versions',
        unique_key='order_line_id',
        meta={'files_of': 'order_lines'},
    )
}}

with

lines as (

    {{ latest_version('order_lines', ['order_line_id'], files_to_read('order_lines', anew=not holds_still('order_lines'))) }}

),

keys as (

    select * from {{ ref('customer_keys') }}

),

renamed as (

    select
        {{ home_id('lines.order_line_id', 'lines.source_name') }} as order_line_id,
        {{ home_id('lines.order_id', 'lines.source_name') }} as order_id,
        keys.customer_id,
        lines.customer_id as source_customer_id,
        lines.product_id,
        lines.store_id,
        lines.ordered_at,
        {{ local_time('lines.ordered_at') }} as ordered_at_local,
        lines.quantity,
        lines.gross_amount,
        lines.discount_amount,
        lines.coupon_amount,
        lines.net_amount,
        lines.source_name,
        lines.file_id,
        lines.file_version,
        lines.record_number

    from lines
    left join keys
        on
            lines.source_name = keys.source_name
            and lines.customer_id = keys.source_customer_id

),

order_lines as (

    select
        order_line_id,
        order_id,
        customer_id,
        product_id,
        store_id,
        ordered_at,
        quantity,
        gross_amount,
        discount_amount,
        coupon_amount,
        net_amount,
        cast(ordered_at_local as date) as ordered_on,
        coalesce(quantity < 0 or gross_amount < 0, false) as is_return,
        source_name,
        source_customer_id,
        file_id,
        file_version,
        record_number

    from renamed

)

select * from order_lines
