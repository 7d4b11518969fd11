with

events as (

    select * from {{ ref('stg_events') }}

),

products as (

    select
        product_id,
        category
    from {{ ref('stg_products') }}

),

-- where the source knows no visits, one ends when nothing happens for longer than the timeout
silences as (

    select
        *,
        {{ microseconds_between(
            'lag(occurred_at) over (partition by source_name, customer_id order by occurred_at, event_number nulls last, event_id)',
            'occurred_at',
        ) }} as silence

    from events

    where session_id is null

),

counted_starts as (

    select
        *,
        sum(case when silence <= {{ var('session_timeout_minutes') }} * 60000000 then 0 else 1 end) over (
            partition by source_name, customer_id
            order by occurred_at, event_number nulls last, event_id
            rows between unbounded preceding and current row
        ) as visit_number

    from silences

),

-- called like its first event, so that a visit before or after leaves it its name
timed_out as (

    select
        event_id,
        '@' || first_value(event_id) over (
            partition by source_name, customer_id, visit_number
            order by occurred_at, event_number nulls last, event_id
        ) as visit_id

    from counted_starts

),

visits as (

    select
        events.*,
        coalesce(events.session_id, timed_out.visit_id) as visit_id

    from events
    left join timed_out on events.event_id = timed_out.event_id

),

steps as (

    select
        *,
        min(occurred_on) over (partition by customer_id, visit_id) as started_on,
        row_number() over (
            partition by customer_id, visit_id order by occurred_at, event_number nulls last, event_id
        ) as step,
        lead(occurred_at) over (
            partition by customer_id, visit_id order by occurred_at, event_number nulls last, event_id
        ) as next_at,
        lead(occurred_on) over (
            partition by customer_id, visit_id order by occurred_at, event_number nulls last, event_id
        ) as next_on,
        lead(is_timed) over (
            partition by customer_id, visit_id order by occurred_at, event_number nulls last, event_id
        ) as is_next_timed,
        lead(page) over (
            partition by customer_id, visit_id order by occurred_at, event_number nulls last, event_id
        ) as next_page

    from visits

),

session_events as (

    select
        steps.event_id,
        steps.customer_id,
        steps.visit_id as session_id,
        cast(steps.step as bigint) as step,
        steps.occurred_at,
        steps.occurred_on,
        steps.started_on,
        steps.event_type,
        steps.product_id,
        products.category,
        steps.page,
        steps.next_page,
        steps.next_on,
        case
            when steps.is_timed and steps.is_next_timed
                then cast(floor(cast({{ microseconds_between('steps.occurred_at', 'steps.next_at') }} as double) / 1000000) as bigint)
        end as dwell_seconds,
        steps.file_id,
        steps.record_number

    from steps
    left join products on steps.product_id = products.product_id

)

select * from session_events
