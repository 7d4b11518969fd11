with

latest as (

    {{ latest_version('manual_tags', ['customer_id', 'tag', 'said_on']) }}

),

keys as (

    select * from {{ ref('customer_keys') }}

),

manual_tags as (

    select
        {{ home_id('latest.customer_id', 'latest.source_name') }} as stated_customer_id,
        keys.customer_id as known_customer_id,
        latest.tag,
        latest.said_on,
        latest.value,
        latest.said_by,
        latest.reason

    from latest
    left join keys
        on
            latest.source_name = keys.source_name
            and latest.customer_id = keys.source_customer_id

),

keyed as (

    select
        -- nobody else speaks of that customer: the id is as one of the home would be
        coalesce(known_customer_id, stated_customer_id) as customer_id,
        tag,
        said_on,
        value,
        said_by,
        reason

    from manual_tags

)

select * from keyed
