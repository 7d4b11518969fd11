with

snapshots as (

    select * from {{ ref('snapshot_days') }}

),

contacts as (

    select
        customer_id,
        sent_on as contact_on,
        campaign_id as received_id,
        cast(null as string) as answered_id
    from {{ ref('stg_sends') }}

    union all

    select
        customer_id,
        responded_on as contact_on,
        cast(null as string) as received_id,
        campaign_id as answered_id
    from {{ ref('stg_responses') }}

),

customer_campaigns as (

    select
        contacts.customer_id,
        snapshots.as_of,
        count(distinct contacts.received_id) as campaigns_received,
        count(distinct contacts.answered_id) as campaigns_answered

    from snapshots
    inner join contacts on snapshots.as_of >= contacts.contact_on

    group by contacts.customer_id, snapshots.as_of

)

select * from customer_campaigns
