with

snapshots as (

    select * from {{ ref('snapshot_days') }}

),

events as (

    select * from {{ ref('session_events') }}

),

-- a visit that goes on after the snapshot day is seen as far as it had come
visits as (

    select
        events.customer_id,
        snapshots.as_of,
        events.session_id,
        events.started_on,
        max(events.occurred_on) as last_on,
        count(*) as event_count,
        count(events.page) as page_view_count,
        sum(events.dwell_seconds) filter (where events.next_on <= snapshots.as_of) as dwell_seconds,
        count(events.dwell_seconds) filter (where events.next_on <= snapshots.as_of) as timed_count

    from snapshots
    inner join events on snapshots.as_of >= events.occurred_on

    group by events.customer_id, snapshots.as_of, events.session_id, events.started_on

),

history as (

    select
        snapshots.customer_id,
        snapshots.as_of,
        min(snapshots.started_on) as first_visit_on,
        max(snapshots.last_on) as last_visit_on,
        count(*) as session_count,
        sum(snapshots.page_view_count) as page_view_count,
        {%- for days in [7, 28, 91, 364] %}
        count(*) filter (where {{ in_window('snapshots.started_on', days) }}) as session_count_{{ days }}d,
        coalesce(
            sum(snapshots.page_view_count) filter (where {{ in_window('snapshots.started_on', days) }}), 0
        ) as page_view_count_{{ days }}d,
        {%- endfor %}
        sum(snapshots.event_count) filter (where {{ in_window('snapshots.started_on', 364) }}) as event_count_364d,
        count(*) filter (where snapshots.event_count = 1 and {{ in_window('snapshots.started_on', 364) }}) as bounce_count_364d,
        sum(snapshots.dwell_seconds) filter (where {{ in_window('snapshots.started_on', 364) }}) as dwell_seconds_364d,
        sum(snapshots.timed_count) filter (where {{ in_window('snapshots.started_on', 364) }}) as timed_count_364d

    -- called so for the macro, which asks for the as_of of snapshots
    from visits as snapshots

    group by snapshots.customer_id, snapshots.as_of

),

page_counts as (

    select
        events.customer_id,
        snapshots.as_of,
        events.page,
        count(*) as view_count

    from snapshots
    inner join events on snapshots.as_of >= events.occurred_on

    where events.page is not null and {{ in_window('events.started_on', 364) }}

    group by events.customer_id, snapshots.as_of, events.page

),

-- decimal, so that sums are exact
page_sums as (

    select
        customer_id,
        as_of,
        count(*) as page_count,
        sum(view_count) as view_count,
        sum(
            cast({{ rounded('cast(view_count as double) * log2(cast(view_count as double))', 9) }} as decimal(28, 9))
        ) as log_sum

    from page_counts

    group by customer_id, as_of

),

customer_web_features as (

    select
        history.customer_id,
        history.as_of,
        history.first_visit_on,
        history.last_visit_on,
        {{ days_between('history.last_visit_on', 'history.as_of') }} as visit_recency_days,
        cast(history.session_count as bigint) as session_count,
        cast(history.page_view_count as bigint) as page_view_count,
        {%- for days in [7, 28, 91, 364] %}
        cast(history.session_count_{{ days }}d as bigint) as session_count_{{ days }}d,
        {%- endfor %}
        {%- for days in [7, 28, 91, 364] %}
        cast(history.page_view_count_{{ days }}d as bigint) as page_view_count_{{ days }}d,
        {%- endfor %}
        {{ ratio('history.event_count_364d', 'history.session_count_364d') }} as session_steps_mean,
        {{ ratio('history.bounce_count_364d', 'history.session_count_364d') }} as bounce_share,
        {{ ratio('history.dwell_seconds_364d', 'history.timed_count_364d') }} as dwell_seconds_mean,
        cast(coalesce(page_sums.page_count, 0) as bigint) as distinct_page_count,
        case
            when page_sums.view_count > 0
                then {{ rounded(
                    'log2(cast(page_sums.view_count as double))'
                    ~ ' - cast(page_sums.log_sum as double) / cast(page_sums.view_count as double)',
                    6,
                ) }}
        end as page_entropy

    from history
    left join page_sums
        on
            history.customer_id = page_sums.customer_id
            and history.as_of = page_sums.as_of

)

select * from customer_web_features
