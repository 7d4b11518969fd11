with

profiles as (

    select * from {{ ref('customer_profiles') }}

),

computed_tags as (

    select * from ({{ var('tag_rows') }})

),

statements as (

    select * from {{ ref('stg_manual_tags') }}
    where said_on <= {{ as_of() }}

),

-- one row per value that a manual tag may have; null: any
manual_values as (

    select * from ({{ var('manual_values') }})

),

last_statements as (

    select
        customer_id,
        tag,
        said_on,
        value,
        said_by,
        reason,
        -- two customers may turn out to be one
        row_number() over (partition by customer_id, tag order by said_on desc, value asc, said_by asc, reason asc) as place

    from statements

),

manual_tags as (

    select
        profiles.customer_id,
        profiles.as_of,
        last_statements.tag,
        last_statements.value,
        cast(1 as double) as confidence,
        'said by ' || last_statements.said_by || ' on ' || cast(last_statements.said_on as string)
        || coalesce(': ' || last_statements.reason, '') as evidence,
        'manual' as source

    from last_statements
    inner join profiles on last_statements.customer_id = profiles.customer_id
    inner join manual_values
        on
            last_statements.tag = manual_values.tag
            and last_statements.value = coalesce(manual_values.value, last_statements.value)

    where
        last_statements.place = 1
        and {{ days_between('last_statements.said_on', as_of()) }} <= manual_values.ttl_days

),

all_tags as (

    select * from computed_tags

    union all

    select * from manual_tags

),

customer_tags as (

    select
        customer_id,
        as_of,
        tag,
        value,
        confidence,
        evidence,
        source

    from all_tags

    where value is not null

)

select * from customer_tags
