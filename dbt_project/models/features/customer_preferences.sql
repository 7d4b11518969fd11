with

snapshots as (

    select * from {{ ref('snapshot_days') }}

),

orders as (

    select * from {{ ref('stg_orders') }}

),

recent_orders as (

    select
        orders.customer_id,
        snapshots.as_of,
        orders.store_id,
        orders.ordered_hour,
        {{ day_of_week('orders.ordered_on') }} as ordered_weekday

    from snapshots
    inner join orders on snapshots.as_of >= orders.ordered_on

    where {{ in_window('orders.ordered_on', 364) }}

),

customers as (

    select distinct
        customer_id,
        as_of
    from recent_orders

),

-- the most frequent value; of equally frequent ones the smallest
{% for preference in ['weekday', 'hour', 'store'] -%}
{%- set column = 'store_id' if preference == 'store' else 'ordered_' ~ preference -%}
{{ preference }}_counts as (

    select
        customer_id,
        as_of,
        {{ column }},
        count(*) as order_count

    from recent_orders

    where {{ column }} is not null

    group by customer_id, as_of, {{ column }}

),

preferred_{{ preference }}s as (

    select
        customer_id,
        as_of,
        {{ column }},
        {{ ratio('order_count', 'sum(order_count) over (partition by customer_id, as_of)') }} as share

    from {{ preference }}_counts

    qualify row_number() over (partition by customer_id, as_of order by order_count desc, {{ column }}) = 1

),

{% endfor -%}

customer_preferences as (

    select
        customers.customer_id,
        customers.as_of,
        cast(preferred_weekdays.ordered_weekday as bigint) as preferred_weekday,
        preferred_weekdays.share as preferred_weekday_share,
        preferred_hours.ordered_hour as preferred_hour,
        preferred_hours.share as preferred_hour_share,
        preferred_stores.store_id as preferred_store_id,
        preferred_stores.share as preferred_store_share

    from customers
    left join preferred_weekdays
        on
            customers.customer_id = preferred_weekdays.customer_id
            and customers.as_of = preferred_weekdays.as_of
    left join preferred_hours
        on
            customers.customer_id = preferred_hours.customer_id
            and customers.as_of = preferred_hours.as_of
    left join preferred_stores
        on
            customers.customer_id = preferred_stores.customer_id
            and customers.as_of = preferred_stores.as_of

)

select * from customer_preferences
