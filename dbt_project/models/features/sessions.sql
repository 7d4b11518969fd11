{{
    config(
        materialized='incremental',
        incremental_strategy='replace_days',
        unique_key=['customer_id', 'session_id'],
        partition_by=partitioned_by_day(),
        meta={'days_of': 'session_days'},
    )
}}

with

days as (

    {{ days_to_build('session_days', 'started_on') }}

),

session_events as (

    select * from {{ ref('session_events') }}

),

sessions as (

    select
        session_events.customer_id,
        session_events.session_id,
        days.started_on,
        min(session_events.occurred_at) as started_at,
        max(session_events.occurred_at) as ended_at,
        cast(count(*) as bigint) as event_count,
        cast(count(session_events.page) as bigint) as page_view_count,
        cast(count(distinct session_events.page) as bigint) as distinct_page_count,
        min_by(session_events.page, session_events.step) filter (where session_events.page is not null) as entry_page,
        max_by(session_events.page, session_events.step) filter (where session_events.page is not null) as exit_page,
        -- how long the last page was looked at nobody knows
        cast(sum(session_events.dwell_seconds) as bigint) as dwell_seconds,
        count(*) = 1 as is_bounce,
        days.day_fingerprint

    from days
    inner join session_events on days.started_on = session_events.started_on

    group by session_events.customer_id, session_events.session_id, days.started_on, days.day_fingerprint

)

select * from sessions
