with

seen as (

    select
        source_name,
        customer_id as source_customer_id
    from ({{ known_rows('order_lines') }}) as known_order_lines

    union

    select
        source_name,
        customer_id as source_customer_id
    from ({{ known_rows('orders') }}) as known_orders

    union

    select
        source_name,
        customer_id as source_customer_id
    from ({{ known_rows('customers') }}) as known_customers

    union

    select
        source_name,
        customer_id as source_customer_id
    from ({{ known_rows('sends') }}) as known_sends

    union

    select
        source_name,
        customer_id as source_customer_id
    from ({{ known_rows('responses') }}) as known_responses

    union

    select
        source_name,
        customer_id as source_customer_id
    from ({{ known_rows('events') }}) as known_events

    union

    select
        source_name,
        customer_id as source_customer_id
    from ({{ known_rows('identifiers') }}) as known_identifiers

),

persons as (

    select * from {{ source('landed', 'person_keys') }}

),

keys as (

    select
        seen.source_name,
        seen.source_customer_id,
        coalesce(
            persons.customer_id,
            {{ home_id('seen.source_customer_id', 'seen.source_name') }}
        ) as customer_id,
        coalesce(persons.confidence, 1.0) as confidence

    from seen
    left join persons
        on
            seen.source_name = persons.source_name
            and seen.source_customer_id = persons.source_customer_id

)

select * from keys
