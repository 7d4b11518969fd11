with

latest as (

    {{ latest_version('events', ['event_id']) }}

),

keys as (

    select * from {{ ref('customer_keys') }}

),

renamed as (

    select
        {{ home_id('latest.event_id', 'latest.source_name') }} as event_id,
        keys.customer_id,
        latest.occurred_at,
        {{ local_time('latest.occurred_at') }} as occurred_at_local,
        latest.event_type,
        latest.product_id,
        {{ home_id('latest.session_id', 'latest.source_name') }} as session_id,
        latest.page,
        latest.event_number,
        -- rows that landed before sources could say so are timed
        coalesce(latest.is_timed, true) as is_timed,
        latest.source_name,
        latest.file_id,
        latest.record_number

    from latest
    left join keys
        on
            latest.source_name = keys.source_name
            and latest.customer_id = keys.source_customer_id

),

events as (

    select
        event_id,
        customer_id,
        occurred_at,
        cast(occurred_at_local as date) as occurred_on,
        event_type,
        product_id,
        session_id,
        page,
        event_number,
        is_timed,
        source_name,
        file_id,
        record_number

    from renamed

)

select * from events
