with

features as (

    select * from {{ ref('customer_features') }}
    where as_of = {{ as_of() }}

),

interests as (

    select * from {{ ref('customer_interests') }}
    where as_of = {{ as_of() }} and rank = 1

),

customers as (

    select * from {{ ref('stg_customers') }}

),

segments as (

    {% if 'segments' in var('sourced_tables') -%}
    select
        customer_id,
        segment_id,
        segment_name
    from {{ source('models', 'customer_segments') }}
    {%- else -%}
    select
        cast(null as string) as customer_id,
        cast(null as bigint) as segment_id,
        cast(null as string) as segment_name
    {%- endif %}

),

customer_profiles as (

    select
        features.*,
        interests.category as top_category,
        interests.weight as top_category_weight,
        customers.age_band,
        customers.income_band,
        customers.household_size,
        customers.children,
        customers.marital_status,
        customers.home_ownership,
        customers.household_type,
        segments.segment_id,
        segments.segment_name

    from features
    left join interests on features.customer_id = interests.customer_id
    left join customers on features.customer_id = customers.customer_id
    left join segments on features.customer_id = segments.customer_id

)

select * from customer_profiles
