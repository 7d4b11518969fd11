with

spend as (

    select * from {{ ref('customer_spend') }}

),

gaps as (

    select * from {{ ref('customer_gaps') }}

),

preferences as (

    select * from {{ ref('customer_preferences') }}

),

price_levels as (

    select * from {{ ref('customer_price_levels') }}

),

category_counts as (

    select
        customer_id,
        as_of,
        count(*) as category_count

    from {{ ref('customer_categories') }}

    where purchase_count > 0

    group by customer_id, as_of

),

campaigns as (

    select * from {{ ref('customer_campaigns') }}

),

-- customers with equal figures share a place, so the quintile does not depend on their ids; the best is last
places as (

    select
        customer_id,
        as_of,
        count(*) over (partition by as_of) as customer_count,
        rank() over (partition by as_of order by recency_days desc) as recency_place,
        rank() over (partition by as_of order by order_count) as frequency_place,
        rank() over (partition by as_of order by net_spend) as monetary_place

    from spend

),

customer_features as (

    select
        spend.customer_id,
        spend.as_of,
        spend.first_order_on,
        spend.last_order_on,
        spend.recency_days,
        spend.tenure_days,
        spend.order_count,
        spend.net_spend,
        spend.line_count,
        spend.basket_net_mean,
        spend.basket_lines_mean,
        spend.order_count_7d,
        spend.order_count_28d,
        spend.order_count_91d,
        spend.order_count_364d,
        spend.net_spend_7d,
        spend.net_spend_28d,
        spend.net_spend_91d,
        spend.net_spend_364d,
        spend.order_trend,
        spend.spend_trend,
        gaps.gap_days_mean,
        gaps.gap_days_std,
        spend.discount_share,
        spend.coupon_share,
        spend.private_label_share,
        price_levels.price_level,
        preferences.preferred_weekday,
        preferences.preferred_weekday_share,
        preferences.preferred_hour,
        preferences.preferred_hour_share,
        preferences.preferred_store_id,
        preferences.preferred_store_share,
        coalesce(category_counts.category_count, 0) as category_count,
        {{ quintile('places.recency_place', 'places.customer_count') }} as recency_quintile,
        {{ quintile('places.frequency_place', 'places.customer_count') }} as frequency_quintile,
        {{ quintile('places.monetary_place', 'places.customer_count') }} as monetary_quintile,
        coalesce(campaigns.campaigns_received, 0) as campaigns_received,
        coalesce(campaigns.campaigns_answered, 0) as campaigns_answered

    from spend
    inner join places
        on
            spend.customer_id = places.customer_id
            and spend.as_of = places.as_of
    left join gaps
        on
            spend.customer_id = gaps.customer_id
            and spend.as_of = gaps.as_of
    left join preferences
        on
            spend.customer_id = preferences.customer_id
            and spend.as_of = preferences.as_of
    left join price_levels
        on
            spend.customer_id = price_levels.customer_id
            and spend.as_of = price_levels.as_of
    left join category_counts
        on
            spend.customer_id = category_counts.customer_id
            and spend.as_of = category_counts.as_of
    left join campaigns
        on
            spend.customer_id = campaigns.customer_id
            and spend.as_of = campaigns.as_of

)

select * from customer_features
