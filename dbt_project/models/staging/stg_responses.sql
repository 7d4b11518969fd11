with

latest as (

    {{ latest_version('responses', ['response_id']) }}

),

keys as (

    select * from {{ ref('customer_keys') }}

),

responses as (

    select
        {{ home_id('latest.response_id', 'latest.source_name') }} as response_id,
        keys.customer_id,
        latest.campaign_id,
        latest.coupon_id,
        latest.responded_on,
        latest.source_name,
        latest.file_id,
        latest.record_number

    from latest
    left join keys
        on
            latest.source_name = keys.source_name
            and latest.customer_id = keys.source_customer_id

)

select * from responses
