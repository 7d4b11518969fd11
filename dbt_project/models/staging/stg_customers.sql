with

declared as (

    {{ latest_version('customers', ['customer_id']) }}

),

keys as (

    select
        keys.customer_id,
        declared.customer_id is not null as is_declared

    from {{ ref('customer_keys') }} as keys
    left join declared
        on
            keys.source_name = declared.source_name
            and keys.source_customer_id = declared.customer_id

),

persons as (

    select
        customer_id,
        count(*) filter (where is_declared) as declared_count

    from keys

    group by customer_id

),

golden as (

    select
        customer_id,
        max(said_value) filter (where field = 'age_band') as age_band,
        max(said_value) filter (where field = 'income_band') as income_band,
        max(said_value) filter (where field = 'household_size') as household_size,
        max(said_value) filter (where field = 'children') as children,
        max(said_value) filter (where field = 'marital_status') as marital_status,
        max(said_value) filter (where field = 'home_ownership') as home_ownership,
        max(said_value) filter (where field = 'household_type') as household_type

    from {{ ref('customer_values') }}

    where is_golden

    group by customer_id

),

customers as (

    select
        persons.customer_id,
        golden.age_band,
        golden.income_band,
        golden.household_size,
        golden.children,
        golden.marital_status,
        golden.home_ownership,
        golden.household_type,
        persons.declared_count > 0 as is_declared,
        persons.declared_count

    from persons
    left join golden on persons.customer_id = golden.customer_id

)

select * from customers
