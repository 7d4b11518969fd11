{{ config(materialized='view') }}

with

sends as (

    select * from {{ ref('stg_sends') }}

),

campaigns as (

    select * from {{ ref('stg_campaigns') }}

),

send_events as (

    select
        sends.customer_id,
        sends.sent_on as happened_on,
        cast(sends.sent_on as string) || ' ' || sends.campaign_id as event_key,
        sends.campaign_id,
        sends.channel,
        campaigns.campaign_type

    from sends
    left join campaigns on sends.campaign_id = campaigns.campaign_id

)

select * from send_events
