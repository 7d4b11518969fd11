with

latest as (

    {{ latest_version('sends', ['campaign_id', 'customer_id']) }}

),

keys as (

    select * from {{ ref('customer_keys') }}

),

sends as (

    select
        latest.campaign_id,
        keys.customer_id,
        latest.sent_on,
        latest.channel,
        latest.source_name,
        latest.file_id,
        latest.record_number

    from latest
    left join keys
        on
            latest.source_name = keys.source_name
            and latest.customer_id = keys.source_customer_id

)

select * from sends
