with

features as (

    select * from {{ ref('customer_features') }}
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
        segment_name
    from {{ source('models', 'customer_segments') }}
    {%- else -%}
    select
        cast(null as string) as customer_id,
        cast(null as bigint) as segment_id,
        cast(null as string) as segment_name
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
    left join segments on known_customers.customer_id = segments.customer_id
    left join churn on known_customers.customer_id = churn.customer_id
    left join likely_categories on known_customers.customer_id = likely_categories.customer_id
    left join recommended on known_customers.customer_id = recommended.customer_id

)

select * from customer_profiles
