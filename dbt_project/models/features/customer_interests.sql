with

customer_categories as (

    select
        *,
        -- returns can outnumber what was bought in the window and yet weigh less
        greatest(purchase_count, 0) as kept_count
    from {{ ref('customer_categories') }}
    where decayed_purchases > 0

),

ranked as (

    select
        customer_id,
        as_of,
        row_number() over (partition by customer_id, as_of order by decayed_purchases desc, category asc) as interest_rank,
        category,
        {{ ratio('decayed_purchases', 'sum(decayed_purchases) over (partition by customer_id, as_of)') }} as weight,
        kept_count as purchase_count,
        sum(kept_count) over (partition by customer_id, as_of) as all_count

    from customer_categories

),

customer_interests as (

    select
        customer_id,
        as_of,
        cast(interest_rank as bigint) as rank,
        category,
        weight,
        cast(purchase_count as bigint) as purchase_count,
        {{ share_low('purchase_count', 'all_count') }} as purchase_share_low

    from ranked

    where interest_rank <= 5

)

select * from customer_interests
