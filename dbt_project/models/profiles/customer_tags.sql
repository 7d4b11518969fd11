with

profiles as (

    select
        customer_profiles.*
        {%- for column in var('features').columns %},
        event_features.{{ column.name }}
        {%- endfor %}

    from {{ ref('customer_profiles') }} as customer_profiles
    left join {{ ref('customer_event_features') }} as event_features
        on
            customer_profiles.customer_id = event_features.customer_id
            and customer_profiles.as_of = event_features.as_of

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
