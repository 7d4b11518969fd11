{%- set groups = goods_groups() | list -%}

with

customers as (

    select
        customer_id,
        as_of,
        net_spend_364d,
        rank() over (partition by as_of order by net_spend_364d) as spend_place,
        count(*) over (partition by as_of) as customer_count
    from {{ ref('customer_spend') }}

),

interests as (

    select * from {{ ref('customer_interests') }}
    where not {{ is_sensitive('category') }}
    qualify row_number() over (partition by customer_id, as_of order by rank) = 1

),

visits as (

    select * from {{ ref('customer_visits') }}

),

lifecycles as (

    select * from {{ ref('customer_lifecycles') }}

),

goods as (

    select * from {{ ref('customer_goods') }}

),

brands as (

    select * from {{ ref('customer_brands') }}

),

novelties as (

    select * from {{ ref('customer_novelties') }}

),

next_purchases as (

    select * from {{ ref('customer_next_purchases') }}

),

answers as (

    select * from {{ ref('customer_answers') }}

),

promotions as (

    select * from {{ ref('customer_promotions') }}

),

customer_behaviour as (

    select
        customers.customer_id,
        customers.as_of,
        lifecycles.lifecycle_state,
        lifecycles.late_after_days,
        interests.category as named_interest,
        interests.weight as named_interest_weight,
        {{ rounded('cast(customers.spend_place as double) / customers.customer_count', 6) }} as spend_rank_364d,
        visits.weekend_share,
        visits.morning_share,
        visits.evening_share,
        visits.quick_trip_share,
        visits.fill_in_share,
        visits.stock_up_share,
        visits.basket_products_mean,
        visits.basket_trend,
        visits.store_count,
        visits.store_switch_share,
        coalesce(visits.active_week_count_91d, 0) as active_week_count_91d,
        brands.brand_repeat_share,
        coalesce(brands.brand_category_count, 0) as brand_category_count,
        coalesce(novelties.new_category_count_28d, 0) as new_category_count_28d,
        coalesce(novelties.new_category_count_91d, 0) as new_category_count_91d,
        coalesce(next_purchases.rhythm_category_count, 0) as rhythm_category_count,
        coalesce(next_purchases.due_category_count_7d, 0) as due_category_count_7d,
        coalesce(next_purchases.overdue_category_count, 0) as overdue_category_count,
        coalesce(next_purchases.lapsed_category_count, 0) as lapsed_category_count,
        next_purchases.next_category,
        next_purchases.next_category_on,
        next_purchases.next_category_earliest_on,
        next_purchases.next_category_latest_on,
        next_purchases.next_category_gap_count,
        next_purchases.lapsed_category,
        next_purchases.lapsed_category_last_on,
        next_purchases.lapsed_category_latest_on,
        coalesce(answers.campaigns_received_91d, 0) as campaigns_received_91d,
        coalesce(answers.campaigns_since_answer, 0) as campaigns_since_answer,
        coalesce(answers.coupons_redeemed, 0) as coupons_redeemed,
        answers.days_since_campaign,
        {%- for group in groups %}
        goods.{{ group }}_purchases_364d,
        goods.{{ group }}_index,
        {%- endfor %}
        promotions.display_share,
        promotions.display_index,
        promotions.mailer_share,
        promotions.mailer_index

    from customers
    left join interests
        on
            customers.customer_id = interests.customer_id
            and customers.as_of = interests.as_of
    left join visits
        on
            customers.customer_id = visits.customer_id
            and customers.as_of = visits.as_of
    left join lifecycles
        on
            customers.customer_id = lifecycles.customer_id
            and customers.as_of = lifecycles.as_of
    left join goods
        on
            customers.customer_id = goods.customer_id
            and customers.as_of = goods.as_of
    left join brands
        on
            customers.customer_id = brands.customer_id
            and customers.as_of = brands.as_of
    left join novelties
        on
            customers.customer_id = novelties.customer_id
            and customers.as_of = novelties.as_of
    left join next_purchases
        on
            customers.customer_id = next_purchases.customer_id
            and customers.as_of = next_purchases.as_of
    left join answers
        on
            customers.customer_id = answers.customer_id
            and customers.as_of = answers.as_of
    left join promotions
        on
            customers.customer_id = promotions.customer_id
            and customers.as_of = promotions.as_of

)

select * from customer_behaviour
