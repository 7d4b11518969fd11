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
        {% for field in var('survivorship')['fields'] -%}
        max(said_value) filter (where field = '{{ field }}') as {{ field }}{{ ',' if not loop.last }}
        {% endfor %}
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
