with

profiles as (

    select * from {{ ref('customer_profiles') }}

),

all_tags as (

    {{ compile_tags(var('tags'), 'profiles') }}

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
