with

supplied as (

    {{ latest_version('orders', ['order_id']) }}

),

keys as (

    select * from {{ ref('customer_keys') }}

),

supplied_orders as (

    select
        {{ home_id('supplied.order_id', 'supplied.source_name') }} as order_id,
        keys.customer_id,
        supplied.store_id,
        supplied.ordered_at,
        {{ local_time('supplied.ordered_at') }} as ordered_at_local,
        true as is_supplied,
        supplied.source_name,
        supplied.file_id,
        supplied.record_number

    from supplied
    left join keys
        on
            supplied.source_name = keys.source_name
            and supplied.customer_id = keys.source_customer_id

),

-- where a source has no orders of its own, an order is what its lines say: it begins with its first line
derived_orders as (

    select
        order_id,
        min_by(customer_id, order_line_id) as customer_id,
        min(store_id) as store_id,
        min(ordered_at) as ordered_at,
        {{ local_time('min(ordered_at)') }} as ordered_at_local,
        false as is_supplied,
        cast(null as string) as source_name,
        cast(null as string) as file_id,
        cast(null as bigint) as record_number

    from {{ ref('stg_order_lines') }}

    group by order_id

),

all_orders as (

    select * from supplied_orders

    union all

    select * from derived_orders

),

orders as (

    select
        order_id,
        customer_id,
        store_id,
        ordered_at,
        cast(ordered_at_local as date) as ordered_on,
        cast(hour(ordered_at_local) as bigint) as ordered_hour,
        is_supplied,
        source_name,
        file_id,
        record_number

    from all_orders

    qualify row_number() over (partition by order_id order by is_supplied desc) = 1

)

select * from orders
