{{ config(materialized='view') }}

with

responses as (

    select * from {{ ref('stg_responses') }}

),

campaigns as (

    select * from {{ ref('stg_campaigns') }}

),

response_events as (

    select
        responses.customer_id,
        responses.responded_on as happened_on,
        cast(responses.responded_on as string) || ' ' || responses.response_id as event_key,
        responses.response_id,
        responses.campaign_id,
        responses.coupon_id,
        campaigns.campaign_type

    from responses
    left join campaigns on responses.campaign_id = campaigns.campaign_id

)

select * from response_events
