with

profiles as (

    -- 'using' keeps one customer_id and one as_of; the other columns have names of their own, which is checked
    select * -- noqa: RF02
    from {{ ref('customer_profiles') }}
    left join {{ ref('customer_event_features') }} using (customer_id, as_of) -- noqa: ST07

),

all_tags as (

    {{ var('tag_rows') }}

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
