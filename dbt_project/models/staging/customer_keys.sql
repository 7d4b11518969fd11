with

seen as (

    select
        source_name,
        customer_id as source_customer_id
    from {{ source('landed', 'order_lines') }}
    where load_date <= {{ known_at() }}

    union

    select
        source_name,
        customer_id as source_customer_id
    from {{ source('landed', 'orders') }}
    where load_date <= {{ known_at() }}

    union

    select
        source_name,
        customer_id as source_customer_id
    from {{ source('landed', 'customers') }}
    where load_date <= {{ known_at() }}

    union

    select
        source_name,
        customer_id as source_customer_id
    from {{ source('landed', 'sends') }}
    where load_date <= {{ known_at() }}

    union

    select
        source_name,
        customer_id as source_customer_id
    from {{ source('landed', 'responses') }}
    where load_date <= {{ known_at() }}

),

keys as (

    select
        source_name,
        source_customer_id,
        {{ home_id('source_customer_id') }} as customer_id

    from seen

)

select * from keys
