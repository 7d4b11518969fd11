with

profiles as (

    select * from {{ ref('customer_profiles') }}

),

all_tags as (

    {{ var('tag_rows') }}

),

-- of who came to look and never bought, only the tags of visitors can be told
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
            {%- for tag in var('visitor_tags') %}
            or all_tags.tag = '{{ tag }}'
            {%- endfor %}
        )

)

select * from customer_tags
