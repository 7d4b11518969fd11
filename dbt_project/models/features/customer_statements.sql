with

snapshots as (

    select * from {{ ref('snapshot_days') }}

),

statements as (

    select * from {{ ref('stg_manual_tags') }}

),

placed as (

    select
        statements.customer_id,
        snapshots.as_of,
        statements.tag,
        statements.said_on,
        {{ days_between('statements.said_on', 'snapshots.as_of') }} as age_days,
        statements.value,
        statements.said_by,
        statements.reason,
        -- on one day two may have spoken of a customer who was two
        row_number() over (
            partition by statements.customer_id, snapshots.as_of, statements.tag
            order by statements.said_on desc, statements.value asc, statements.said_by asc, statements.reason asc
        ) as place

    from snapshots
    inner join statements on snapshots.as_of >= statements.said_on

),

customer_statements as (

    select
        customer_id,
        as_of,
        tag,
        said_on,
        age_days,
        value,
        said_by,
        reason

    from placed

    where place = 1

)

select * from customer_statements
