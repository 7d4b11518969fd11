with

features as (

    select * from {{ ref('customer_features') }}
    where as_of = {{ as_of() }}

),

behaviour as (

    select * from {{ ref('customer_behaviour') }}
    where as_of = {{ as_of() }}

),

interests as (

    select * from {{ ref('customer_interests') }}
    where as_of = {{ as_of() }} and rank = 1

),

web as (

    select * from {{ ref('customer_web_features') }}
    where as_of = {{ as_of() }}

),

-- whoever bought, or came to look
known_customers as (

    select
        customer_id,
        as_of
    from features

    union

    select
        customer_id,
        as_of
    from web

),

customers as (

    select * from {{ ref('stg_customers') }}

),

segments as (

    {% if 'segments' in var('sourced_tables') -%}
    select
        customer_id,
        segment_id,
        segment_name,
        is_outlier,
        outlier_reason
    from {{ source('models', 'customer_segments') }}
    {%- else -%}
    select
        cast(null as string) as customer_id,
        cast(null as bigint) as segment_id,
        cast(null as string) as segment_name,
        cast(null as boolean) as is_outlier,
        cast(null as string) as outlier_reason
    {%- endif %}

),

churn as (

    {% if 'scores' in var('sourced_tables') -%}
    select
        customer_id,
        probability as churn_probability_28d,
        reasons as churn_reasons
    from {{ source('models', 'customer_scores') }}
    where target = 'churn_28d'
    {%- else -%}
    select
        cast(null as string) as customer_id,
        cast(null as double) as churn_probability_28d,
        cast(null as string) as churn_reasons
    {%- endif %}

),

likely_categories as (

    {% if 'scores' in var('sourced_tables') -%}
    select
        customer_id,
        category as likely_category,
        probability as likely_category_probability,
        reasons as likely_category_reasons
    from {{ source('models', 'customer_scores') }}
    where target = 'category_28d'
    qualify row_number() over (partition by customer_id order by probability desc, category asc) = 1
    {%- else -%}
    select
        cast(null as string) as customer_id,
        cast(null as string) as likely_category,
        cast(null as double) as likely_category_probability,
        cast(null as string) as likely_category_reasons
    {%- endif %}

),

inferred as (

    {% if 'attributes' in var('sourced_tables') -%}
    select
        customer_id,
        max(case when attribute = 'age_band' then inferred_value end) as age_band_inferred,
        max(case when attribute = 'age_band' then confidence end) as age_band_confidence,
        max(case when attribute = 'income_band' then inferred_value end) as income_band_inferred,
        max(case when attribute = 'income_band' then confidence end) as income_band_confidence,
        max(case when attribute = 'household_size' then inferred_value end) as household_size_inferred,
        max(case when attribute = 'household_size' then confidence end) as household_size_confidence,
        max(case when attribute = 'marital_status' then inferred_value end) as marital_status_inferred,
        max(case when attribute = 'marital_status' then confidence end) as marital_status_confidence,
        max(case when attribute = 'home_ownership' then inferred_value end) as home_ownership_inferred,
        max(case when attribute = 'home_ownership' then confidence end) as home_ownership_confidence
    from {{ source('models', 'customer_attributes') }}
    group by customer_id
    {%- else -%}
    select
        cast(null as string) as customer_id,
        cast(null as string) as age_band_inferred,
        cast(null as double) as age_band_confidence,
        cast(null as string) as income_band_inferred,
        cast(null as double) as income_band_confidence,
        cast(null as string) as household_size_inferred,
        cast(null as double) as household_size_confidence,
        cast(null as string) as marital_status_inferred,
        cast(null as double) as marital_status_confidence,
        cast(null as string) as home_ownership_inferred,
        cast(null as double) as home_ownership_confidence
    {%- endif %}

),

leading_factors as (

    {% if 'attributes' in var('sourced_tables') -%}
    select
        customer_id,
        factor_name as leading_factor,
        share as leading_factor_share
    from {{ source('models', 'customer_factors') }}
    qualify row_number() over (partition by customer_id order by share desc, factor asc) = 1
    {%- else -%}
    select
        cast(null as string) as customer_id,
        cast(null as string) as leading_factor,
        cast(null as double) as leading_factor_share
    {%- endif %}

),

first_items as (

    {% if 'recommendations' in var('sourced_tables') -%}
    select
        customer_id,
        task,
        product_id,
        reason
    from {{ source('models', 'customer_items') }}
    where rank = 1
    {%- else -%}
    select
        cast(null as string) as customer_id,
        cast(null as string) as task,
        cast(null as string) as product_id,
        cast(null as string) as reason
    {%- endif %}

),

recommended as (

    select
        first_items.customer_id,
        max(case when first_items.task = 'any' then first_items.product_id end) as any_product_id,
        max(case when first_items.task = 'any' then products.product_type end) as any_product_type,
        max(case when first_items.task = 'any' then first_items.reason end) as any_product_reason,
        max(case when first_items.task = 'new' then first_items.product_id end) as new_product_id,
        max(case when first_items.task = 'new' then products.product_type end) as new_product_type,
        max(case when first_items.task = 'new' then first_items.reason end) as new_product_reason

    from first_items
    left join {{ ref('stg_products') }} as products on first_items.product_id = products.product_id

    group by first_items.customer_id

),

customer_profiles as (

    select
        known_customers.customer_id,
        known_customers.as_of,
        features.first_order_on,
        features.last_order_on,
        features.recency_days,
        features.tenure_days,
        features.order_count,
        features.net_spend,
        features.line_count,
        features.basket_net_mean,
        features.basket_lines_mean,
        features.order_count_7d,
        features.order_count_28d,
        features.order_count_91d,
        features.order_count_364d,
        features.net_spend_7d,
        features.net_spend_28d,
        features.net_spend_91d,
        features.net_spend_364d,
        features.order_trend,
        features.spend_trend,
        features.gap_days_mean,
        features.gap_days_std,
        features.discount_share,
        features.coupon_share,
        features.private_label_share,
        features.price_level,
        features.preferred_weekday,
        features.preferred_weekday_share,
        features.preferred_hour,
        features.preferred_hour_share,
        features.preferred_store_id,
        features.preferred_store_share,
        features.category_count,
        features.recency_quintile,
        features.frequency_quintile,
        features.monetary_quintile,
        features.campaigns_received,
        features.campaigns_answered,
        interests.category as top_category,
        interests.weight as top_category_weight,
        customers.age_band,
        customers.income_band,
        customers.household_size,
        customers.children,
        customers.marital_status,
        customers.home_ownership,
        customers.household_type,
        segments.segment_id,
        segments.segment_name,
        segments.is_outlier,
        segments.outlier_reason,
        churn.churn_probability_28d,
        churn.churn_reasons,
        likely_categories.likely_category,
        likely_categories.likely_category_probability,
        likely_categories.likely_category_reasons,
        recommended.any_product_id,
        recommended.any_product_type,
        recommended.any_product_reason,
        recommended.new_product_id,
        recommended.new_product_type,
        recommended.new_product_reason,
        behaviour.lifecycle_state,
        behaviour.late_after_days,
        behaviour.named_interest,
        behaviour.named_interest_weight,
        behaviour.spend_rank_364d,
        behaviour.weekend_share,
        behaviour.morning_share,
        behaviour.evening_share,
        behaviour.quick_trip_share,
        behaviour.fill_in_share,
        behaviour.stock_up_share,
        behaviour.basket_products_mean,
        behaviour.basket_trend,
        behaviour.store_count,
        behaviour.store_switch_share,
        behaviour.active_week_count_91d,
        behaviour.brand_repeat_share,
        behaviour.brand_category_count,
        behaviour.new_category_count_28d,
        behaviour.new_category_count_91d,
        behaviour.rhythm_category_count,
        behaviour.due_category_count_7d,
        behaviour.overdue_category_count,
        behaviour.lapsed_category_count,
        behaviour.next_category,
        behaviour.next_category_on,
        behaviour.next_category_earliest_on,
        behaviour.next_category_latest_on,
        behaviour.next_category_gap_count,
        behaviour.lapsed_category,
        behaviour.lapsed_category_last_on,
        behaviour.lapsed_category_latest_on,
        behaviour.campaigns_received_91d,
        behaviour.campaigns_since_answer,
        behaviour.coupons_redeemed,
        behaviour.days_since_campaign,
        behaviour.produce_purchases_364d,
        behaviour.produce_index,
        behaviour.meat_purchases_364d,
        behaviour.meat_index,
        behaviour.seafood_purchases_364d,
        behaviour.seafood_index,
        behaviour.deli_purchases_364d,
        behaviour.deli_index,
        behaviour.bakery_purchases_364d,
        behaviour.bakery_index,
        behaviour.dairy_purchases_364d,
        behaviour.dairy_index,
        behaviour.frozen_purchases_364d,
        behaviour.frozen_index,
        behaviour.snacks_purchases_364d,
        behaviour.snacks_index,
        behaviour.soft_drinks_purchases_364d,
        behaviour.soft_drinks_index,
        behaviour.coffee_tea_purchases_364d,
        behaviour.coffee_tea_index,
        behaviour.baking_purchases_364d,
        behaviour.baking_index,
        behaviour.ready_meals_purchases_364d,
        behaviour.ready_meals_index,
        behaviour.baby_purchases_364d,
        behaviour.baby_index,
        behaviour.pet_purchases_364d,
        behaviour.pet_index,
        behaviour.household_purchases_364d,
        behaviour.household_index,
        behaviour.beauty_purchases_364d,
        behaviour.beauty_index,
        behaviour.flowers_purchases_364d,
        behaviour.flowers_index,
        behaviour.display_share,
        behaviour.display_index,
        behaviour.mailer_share,
        behaviour.mailer_index,
        inferred.age_band_inferred,
        inferred.age_band_confidence,
        inferred.income_band_inferred,
        inferred.income_band_confidence,
        inferred.household_size_inferred,
        inferred.household_size_confidence,
        inferred.marital_status_inferred,
        inferred.marital_status_confidence,
        inferred.home_ownership_inferred,
        inferred.home_ownership_confidence,
        leading_factors.leading_factor,
        leading_factors.leading_factor_share,
        web.first_visit_on,
        web.last_visit_on,
        web.visit_recency_days,
        web.session_count,
        web.page_view_count,
        web.session_count_7d,
        web.session_count_28d,
        web.session_count_91d,
        web.session_count_364d,
        web.page_view_count_7d,
        web.page_view_count_28d,
        web.page_view_count_91d,
        web.page_view_count_364d,
        web.session_steps_mean,
        web.bounce_share,
        web.dwell_seconds_mean,
        web.distinct_page_count,
        web.page_entropy

    from known_customers
    left join features on known_customers.customer_id = features.customer_id
    left join web on known_customers.customer_id = web.customer_id
    left join interests on known_customers.customer_id = interests.customer_id
    left join customers on known_customers.customer_id = customers.customer_id
    left join behaviour on known_customers.customer_id = behaviour.customer_id
    left join segments on known_customers.customer_id = segments.customer_id
    left join churn on known_customers.customer_id = churn.customer_id
    left join likely_categories on known_customers.customer_id = likely_categories.customer_id
    left join recommended on known_customers.customer_id = recommended.customer_id
    left join inferred on known_customers.customer_id = inferred.customer_id
    left join leading_factors on known_customers.customer_id = leading_factors.customer_id

)

select * from customer_profiles
