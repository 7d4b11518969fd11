with

snapshots as (

    select * from {{ ref('snapshot_days') }}

),

events as (

    select * from {{ ref('session_events') }}
    where page is not null and next_page is not null

),

moves as (

    select
        snapshots.as_of,
        events.page as from_page,
        events.next_page as to_page,
        count(*) as move_count

    from snapshots
    inner join events on snapshots.as_of >= events.next_on

    where {{ in_window('events.started_on', 91) }}

    group by snapshots.as_of, events.page, events.next_page

),

web_page_moves as (

    select
        moves.as_of,
        moves.from_page,
        moves.to_page,
        cast(moves.move_count as bigint) as move_count,
        {{ ratio('moves.move_count', 'sum(moves.move_count) over (partition by moves.as_of, moves.from_page)') }} as move_share

    from moves

    qualify row_number() over (partition by moves.as_of order by moves.move_count desc, moves.from_page asc, moves.to_page asc) <= 500

)

select * from web_page_moves
