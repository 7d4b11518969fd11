with

latest as (

    {{ latest_version('sends', ['campaign_id', 'customer_id']) }}

),

keys as (

    select * from {{ ref('customer_keys') }}

),

per_source as (

    select
        latest.campaign_id,
        keys.customer_id,
        latest.sent_on,
        latest.channel,
        latest.source_name,
        latest.file_id,
        latest.record_number,
        latest.customer_id as source_customer_id

    from latest
    left join keys
        on
            latest.source_name = keys.source_name
            and latest.customer_id = keys.source_customer_id

),

sends as (

    select
        campaign_id,
        customer_id,
        sent_on,
        channel,
        source_name,
        file_id,
        record_number,
        count(*) over (partition by campaign_id, customer_id) as send_count

    from per_source

    -- One person may have been sent a campaign under several ids: the first counts.
    qualify
        row_number() over (
            partition by campaign_id, customer_id
            order by sent_on nulls last, source_name, source_customer_id
        ) = 1

)

select * from sends
