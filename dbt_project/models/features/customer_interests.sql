with

customer_categories as (

    select * from {{ ref('customer_categories') }}
    where decayed_purchases > 0

),

ranked as (

    select
        customer_id,
        as_of,
        row_number() over (partition by customer_id, as_of order by decayed_purchases desc, category asc) as interest_rank,
        category,
        {{ ratio('decayed_purchases', 'sum(decayed_purchases) over (partition by customer_id, as_of)') }} as weight

    from customer_categories

),

customer_interests as (

    select
        customer_id,
        as_of,
        cast(interest_rank as bigint) as rank,
        category,
        weight

    from ranked

    where interest_rank <= 5

)

select * from customer_interests
