with

order_days as (

    select * from {{ ref('order_days') }}

),

sends as (

    select
        happened_on,
        {{ text_number(
            "customer_id || '|' || event_key || '|' || coalesce(channel, '') || '|' || coalesce(campaign_type, '')"
        ) }} as event_number
    from {{ ref('event_sends') }}

),

responses as (

    select
        happened_on,
        {{ text_number(
            "customer_id || '|' || event_key || '|' || campaign_id || '|' || coalesce(coupon_id, '')"
            ~ " || '|' || coalesce(campaign_type, '')"
        ) }} as event_number
    from {{ ref('event_responses') }}

),

web_events as (

    select
        happened_on,
        {{ text_number(
            "customer_id || '|' || event_key || '|' || event_type || '|' || coalesce(product_id, '')"
            ~ " || '|' || coalesce(department, '') || '|' || coalesce(category, '')"
            ~ " || '|' || coalesce(session_id, '') || '|' || coalesce(page, '')"
            ~ " || '|' || coalesce(cast(hour as string), '')"
        ) }} as event_number
    from {{ ref('event_web_events') }}

),

fingerprints as (

    select
        'order_lines' as event,
        ordered_on as happened_on,
        line_count as event_count,
        day_fingerprint as fingerprint
    from order_days

    where line_count > 0

    union all

    select
        'orders' as event,
        ordered_on as happened_on,
        order_count as event_count,
        day_fingerprint as fingerprint
    from order_days

    where order_count > 0

    union all

    select
        'sends' as event,
        happened_on,
        count(*) as event_count,
        cast(count(*) as string) || ':' || cast(sum(event_number) as string) as fingerprint
    from sends

    group by happened_on

    union all

    select
        'responses' as event,
        happened_on,
        count(*) as event_count,
        cast(count(*) as string) || ':' || cast(sum(event_number) as string) as fingerprint
    from responses

    group by happened_on

    union all

    select
        'web_events' as event,
        happened_on,
        count(*) as event_count,
        cast(count(*) as string) || ':' || cast(sum(event_number) as string) as fingerprint
    from web_events

    group by happened_on

),

event_days as (

    select
        event,
        happened_on,
        event_count,
        md5(event || ':' || cast(happened_on as string) || ':' || fingerprint) as day_fingerprint

    from fingerprints

)

select * from event_days
