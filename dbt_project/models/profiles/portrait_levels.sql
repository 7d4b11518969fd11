with

features as (

    select * from {{ ref('customer_features') }}
    where as_of = {{ as_of() }}

),

activity as (

    select * from {{ ref('customer_days') }}
    where ordered_on <= {{ as_of() }}

),

everybody as (

    select count(*) as customers
    from features

),

-- from the days, not from the customers: what gets lost or doubled on the way to a portrait shows
population as (

    select
        sum(order_count) as orders,
        sum(line_count) as order_lines,
        sum(net_amount) as net_spend

    from activity

),

segments as (

    {% if 'segments' in var('sourced_tables') -%}
    select
        customer_segments.segment_id,
        count(*) as customers,
        sum(features.order_count) as orders,
        sum(features.line_count) as order_lines,
        sum(features.net_spend) as net_spend

    from {{ source('models', 'customer_segments') }} as customer_segments
    inner join features on customer_segments.customer_id = features.customer_id

    group by customer_segments.segment_id
    {%- else -%}
    select
        cast(null as bigint) as segment_id,
        cast(null as bigint) as customers,
        cast(null as bigint) as orders,
        cast(null as bigint) as order_lines,
        cast(null as decimal(18, 2)) as net_spend
    {%- endif %}

),

levels as (

    select
        'population' as level,
        'all' as group_id,
        everybody.customers,
        population.orders,
        population.order_lines,
        population.net_spend

    from everybody
    cross join population

    union all

    select
        'segment' as level,
        cast(segment_id as string) as group_id,
        customers,
        orders,
        order_lines,
        net_spend

    from segments

    where segment_id is not null

),

portrait_levels as (

    select
        {{ as_of() }} as as_of,
        level,
        group_id,
        cast(customers as bigint) as customers,
        cast(coalesce(orders, 0) as bigint) as orders,
        cast(coalesce(order_lines, 0) as bigint) as order_lines,
        cast(coalesce(net_spend, 0) as decimal(18, 2)) as net_spend

    from levels

)

select * from portrait_levels
