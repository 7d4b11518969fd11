with

profiles as (

    select * from {{ ref('customer_profiles') }}

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
