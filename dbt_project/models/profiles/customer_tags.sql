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

-- the variable 'manual_rows' reads it
statements as ( -- noqa: ST03

    select * from {{ ref('customer_statements') }}
    where as_of = {{ as_of() }}

),

manual_tags as (

    select * from ({{ var('manual_rows') }})

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
