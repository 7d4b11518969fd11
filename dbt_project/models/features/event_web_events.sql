{{ config(materialized='view') }}

with

web_events as (

    select
        *,
        {{ local_time('occurred_at') }} as occurred_at_local
    from {{ ref('stg_events') }}

),

products as (

    select * from {{ ref('stg_products') }}

),

web_event_events as (

    select
        web_events.customer_id,
        web_events.occurred_on as happened_on,
        cast(web_events.occurred_at as string)
        || ' ' || lpad(coalesce(cast(web_events.event_number as string), ''), 10, '0')
        || ' ' || web_events.event_id as event_key,
        web_events.event_type,
        web_events.product_id,
        products.department,
        products.category,
        web_events.session_id,
        web_events.page,
        {{ day_of_week('web_events.occurred_on') }} as weekday,
        -- where a source knows only the day, there is no hour
        case when web_events.is_timed then cast(hour(web_events.occurred_at_local) as bigint) end as hour

    from web_events
    left join products on web_events.product_id = products.product_id

)

select * from web_event_events
