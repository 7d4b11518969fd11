{{ config(materialized='view') }}

with

orders as (

    select * from {{ ref('stg_orders') }}

),

order_events as (

    select
        customer_id,
        ordered_on as happened_on,
        cast(ordered_at as string) || ' ' || order_id as event_key,
        order_id,
        store_id,
        {{ day_of_week('ordered_on') }} as weekday,
        ordered_hour as hour

    from orders

)

select * from order_events
