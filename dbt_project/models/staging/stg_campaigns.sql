with

latest as (

    {{ latest_version('campaigns', ['campaign_id']) }}

),

campaigns as (

    select
        campaign_id,
        campaign_type,
        started_on,
        ended_on

    from latest

)

select * from campaigns
