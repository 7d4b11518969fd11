with

session_events as (

    select
        started_on,
        {{ text_number(
            "event_id || '|' || file_id || ':' || cast(record_number as string) || '|' || session_id || '|' || cast(step as string)"
        ) }} as event_number

    from {{ ref('session_events') }}

),

days as (

    select
        started_on,
        count(*) as event_count,
        sum(event_number) as event_sum

    from session_events

    group by started_on

),

session_days as (

    select
        started_on,
        md5(
            cast(started_on as string)
            || ':' || cast(event_count as string)
            || ':' || cast(event_sum as string)
        ) as day_fingerprint

    from days

)

select * from session_days
