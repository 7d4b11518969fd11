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

fingerprints as (

    select
        'order_lines' as event,
        ordered_on as happened_on,
        day_fingerprint as fingerprint
    from order_days

    where line_count > 0

    union all

    select
        'orders' as event,
        ordered_on as happened_on,
        day_fingerprint as fingerprint
    from order_days

    where order_count > 0

    union all

    select
        'sends' as event,
        happened_on,
        cast(count(*) as string) || ':' || cast(sum(event_number) as string) as fingerprint
    from sends

    group by happened_on

    union all

    select
        'responses' as event,
        happened_on,
        cast(count(*) as string) || ':' || cast(sum(event_number) as string) as fingerprint
    from responses

    group by happened_on

),

event_days as (

    select
        event,
        happened_on,
        md5(event || ':' || cast(happened_on as string) || ':' || fingerprint) as day_fingerprint

    from fingerprints

)

select * from event_days
