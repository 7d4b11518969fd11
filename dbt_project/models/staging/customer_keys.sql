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

),

keys as (

    select
        source_name,
        source_customer_id,
        {{ home_id('source_customer_id') }} as customer_id

    from seen

)

select * from keys
