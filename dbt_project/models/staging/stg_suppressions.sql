with

latest as (

    {{ latest_version('suppressions', ['customer_id', 'product_id']) }}

),

keys as (

    select * from {{ ref('customer_keys') }}

),

known as (

    select
        coalesce(keys.customer_id, {{ home_id('latest.customer_id', 'latest.source_name') }}) as customer_id,
        latest.product_id,
        latest.suppressed_on

    from latest
    left join keys
        on
            latest.source_name = keys.source_name
            and latest.customer_id = keys.source_customer_id

),

suppressions as (

    -- of several records of a person the earliest day holds
    select
        customer_id,
        product_id,
        min(suppressed_on) as suppressed_on

    from known

    group by
        customer_id,
        product_id

)

select * from suppressions
