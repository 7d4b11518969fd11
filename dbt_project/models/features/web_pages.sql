with

snapshots as (

    select * from {{ ref('snapshot_days') }}

),

events as (

    select * from {{ ref('session_events') }}
    where page is not null

),

seen as (

    select
        snapshots.as_of,
        events.customer_id,
        events.session_id,
        events.page,
        events.step,
        case when events.next_on <= snapshots.as_of then events.dwell_seconds end as dwell_seconds,
        row_number() over (
            partition by snapshots.as_of, events.customer_id, events.session_id order by events.step
        ) as from_start,
        row_number() over (
            partition by snapshots.as_of, events.customer_id, events.session_id order by events.step desc
        ) as from_end

    from snapshots
    inner join events on snapshots.as_of >= events.occurred_on

    where {{ in_window('events.started_on', 91) }}

),

web_pages as (

    select
        as_of,
        page,
        cast(count(*) as bigint) as view_count,
        cast(count(*) filter (where from_start = 1) as bigint) as entry_count,
        cast(count(*) filter (where from_end = 1) as bigint) as exit_count,
        cast(count(*) filter (where from_start = 1 and from_end = 1) as bigint) as bounce_count,
        cast(count(dwell_seconds) as bigint) as timed_count,
        {{ ratio('sum(dwell_seconds)', 'count(dwell_seconds)') }} as dwell_seconds_mean

    from seen

    group by as_of, page

)

select * from web_pages
