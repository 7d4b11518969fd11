with

declared as (

    {{ latest_version('customers', ['customer_id']) }}

),

keys as (

    select * from {{ ref('customer_keys') }}

),

customers as (

    select
        keys.customer_id,
        declared.age_band,
        declared.income_band,
        declared.household_size,
        declared.children,
        declared.marital_status,
        declared.home_ownership,
        declared.household_type,
        declared.customer_id is not null as is_declared,
        declared.source_name,
        declared.file_id,
        declared.record_number

    from keys
    left join declared
        on
            keys.source_name = declared.source_name
            and keys.source_customer_id = declared.customer_id

)

select * from customers
