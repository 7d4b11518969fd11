with

snapshots as (

    select * from {{ ref('snapshot_days') }}

),

sends as (

    select
        sends.customer_id,
        snapshots.as_of,
        sends.campaign_id,
        min(sends.sent_on) as sent_on

    from snapshots
    inner join {{ ref('stg_sends') }} as sends on snapshots.as_of >= sends.sent_on

    group by sends.customer_id, snapshots.as_of, sends.campaign_id

),

answers as (

    select
        responses.customer_id,
        snapshots.as_of,
        count(*) as coupons_redeemed,
        max(responses.responded_on) as last_answered_on

    from snapshots
    inner join {{ ref('stg_responses') }} as responses on snapshots.as_of >= responses.responded_on

    group by responses.customer_id, snapshots.as_of

),

received as (

    select
        sends.customer_id,
        sends.as_of,
        max(sends.sent_on) as last_sent_on,
        count(*) filter (where {{ days_between('sends.sent_on', 'sends.as_of') }} < 91) as campaigns_received_91d,
        count(*) filter (
            where answers.last_answered_on is null or sends.sent_on > answers.last_answered_on
        ) as campaigns_since_answer

    from sends
    left join answers
        on
            sends.customer_id = answers.customer_id
            and sends.as_of = answers.as_of

    group by sends.customer_id, sends.as_of

),

customer_answers as (

    select
        received.customer_id,
        received.as_of,
        received.campaigns_received_91d,
        received.campaigns_since_answer,
        coalesce(answers.coupons_redeemed, 0) as coupons_redeemed,
        {{ days_between('received.last_sent_on', 'received.as_of') }} as days_since_campaign

    from received
    left join answers
        on
            received.customer_id = answers.customer_id
            and received.as_of = answers.as_of

)

select * from customer_answers
