with

profiles as (

    -- 'using' keeps one customer_id and one as_of; the other columns have names of their own, which is checked
    select * -- noqa: RF02
    from {{ ref('customer_profiles') }}
    left join {{ ref('customer_event_features') }} using (customer_id, as_of) -- noqa: ST07

),

computed_tags as (

    select * from ({{ var('tag_rows') }})

),

statements as (

    select * from {{ ref('customer_statements') }}
    where as_of = {{ as_of() }}

),

-- one row per value that a manual tag may have; null: any
manual_values as (

    select * from ({{ var('manual_values') }})

),

manual_tags as (

    select
        profiles.customer_id,
        profiles.as_of,
        statements.tag,
        statements.value,
        cast(1 as double) as confidence,
        'said by ' || statements.said_by || ' on ' || cast(statements.said_on as string)
        || coalesce(': ' || statements.reason, '') as evidence,
        'manual' as source

    from statements
    inner join profiles on statements.customer_id = profiles.customer_id
    inner join manual_values
        on
            statements.tag = manual_values.tag
            and statements.value = coalesce(manual_values.value, statements.value)

    where statements.age_days <= manual_values.ttl_days

),

all_tags as (

    select * from computed_tags

    union all

    select * from manual_tags

),

-- of who came to look and never bought, only the tags of visitors can be told, and what people say
buyers as (

    select customer_id from profiles
    where order_count is not null

),

customer_tags as (

    select
        all_tags.customer_id,
        all_tags.as_of,
        all_tags.tag,
        all_tags.value,
        all_tags.confidence,
        all_tags.evidence,
        all_tags.source

    from all_tags
    left join buyers on all_tags.customer_id = buyers.customer_id

    where
        all_tags.value is not null
        and (
            buyers.customer_id is not null
            or all_tags.source = 'manual'
            {%- for tag in var('visitor_tags') %}
            or all_tags.tag = '{{ tag }}'
            {%- endfor %}
        )

)

select * from customer_tags
