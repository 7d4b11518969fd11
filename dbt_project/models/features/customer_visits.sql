with

snapshots as (

    select * from {{ ref('snapshot_days') }}

),

baskets as (

    select
        *,
        {{ day_of_week('ordered_on') }} as ordered_weekday,
        lag(store_id) over (partition by customer_id order by ordered_on, ordered_hour, order_id) as store_before
    from {{ ref('order_baskets') }}

),

visits as (

    select
        baskets.customer_id,
        snapshots.as_of,
        count(*) as visit_count,
        count(*) filter (where baskets.ordered_weekday >= 6) as weekend_count,
        count(*) filter (where baskets.ordered_hour between 5 and 10) as morning_count,
        count(*) filter (where baskets.ordered_hour between 17 and 21) as evening_count,
        count(*) filter (where baskets.product_count > 0) as filled_count,
        count(*) filter (where baskets.product_count between 1 and 3) as quick_count,
        count(*) filter (where baskets.product_count between 4 and 19) as fill_in_count,
        count(*) filter (where baskets.product_count >= 20) as stock_up_count,
        sum(baskets.product_count) as product_count,
        sum(baskets.product_count) filter (where {{ in_window('baskets.ordered_on', 91) }}) as product_count_91d,
        count(*) filter (where baskets.product_count > 0 and {{ in_window('baskets.ordered_on', 91) }}) as filled_count_91d,
        count(distinct baskets.store_id) as store_count,
        count(*) filter (where baskets.store_before is not null and baskets.store_id is not null) as next_store_count,
        count(*) filter (where baskets.store_before <> baskets.store_id) as switch_count,
        count(distinct case
            when {{ in_window('baskets.ordered_on', 91) }}
                then floor({{ days_between('baskets.ordered_on', 'snapshots.as_of') }} / 7)
        end) as active_week_count

    from snapshots
    inner join baskets on snapshots.as_of >= baskets.ordered_on

    where {{ in_window('baskets.ordered_on', 364) }}

    group by baskets.customer_id, snapshots.as_of

),

customer_visits as (

    select
        customer_id,
        as_of,
        {{ ratio('weekend_count', 'visit_count') }} as weekend_share,
        {{ ratio('morning_count', 'visit_count') }} as morning_share,
        {{ ratio('evening_count', 'visit_count') }} as evening_share,
        {{ ratio('quick_count', 'filled_count') }} as quick_trip_share,
        {{ ratio('fill_in_count', 'filled_count') }} as fill_in_share,
        {{ ratio('stock_up_count', 'filled_count') }} as stock_up_share,
        {{ ratio('product_count', 'filled_count') }} as basket_products_mean,
        -- products an order of the last 91 days against those of the last 364
        {{ ratio('product_count_91d * filled_count', 'product_count * filled_count_91d') }} as basket_trend,
        cast(store_count as bigint) as store_count,
        {{ ratio('switch_count', 'next_store_count') }} as store_switch_share,
        cast(active_week_count as bigint) as active_week_count_91d

    from visits

)

select * from customer_visits
