with

snapshots as (

    select * from {{ ref('snapshot_days') }}

),

days as (

    select * from {{ ref('customer_days') }}

),

history as (

    select
        days.customer_id,
        snapshots.as_of,
        min(days.ordered_on) filter (where days.order_count > 0) as first_order_on,
        max(days.ordered_on) filter (where days.order_count > 0) as last_order_on,
        sum(days.order_count) as order_count,
        sum(days.line_count) as line_count,
        sum(days.net_amount) as net_spend,
        {%- for window in [7, 28, 91, 364] %}
        sum(case when {{ in_window('days.ordered_on', window) }} then days.order_count else 0 end) as order_count_{{ window }}d,
        sum(case when {{ in_window('days.ordered_on', window) }} then days.net_amount else 0 end) as net_spend_{{ window }}d,
        {%- endfor %}
        sum(case when {{ in_window('days.ordered_on', 364) }} then days.bought_amount else 0 end) as bought_amount,
        sum(case when {{ in_window('days.ordered_on', 364) }} then days.discount_amount else 0 end) as discount_amount,
        sum(case when {{ in_window('days.ordered_on', 364) }} then days.coupon_amount else 0 end) as coupon_amount,
        sum(case when {{ in_window('days.ordered_on', 364) }} then days.labelled_amount else 0 end) as labelled_amount,
        sum(case when {{ in_window('days.ordered_on', 364) }} then days.private_label_amount else 0 end) as private_label_amount

    from snapshots
    inner join days on snapshots.as_of >= days.ordered_on

    group by days.customer_id, snapshots.as_of

    having sum(days.order_count) > 0

),

customer_spend as (

    select
        customer_id,
        as_of,
        first_order_on,
        last_order_on,
        {{ days_between('last_order_on', 'as_of') }} as recency_days,
        {{ days_between('first_order_on', 'as_of') }} as tenure_days,
        cast(order_count as bigint) as order_count,
        cast(net_spend as decimal(18, 2)) as net_spend,
        cast(line_count as bigint) as line_count,
        {{ ratio('net_spend', 'order_count') }} as basket_net_mean,
        {{ ratio('line_count', 'order_count') }} as basket_lines_mean,
        {%- for window in [7, 28, 91, 364] %}
        cast(order_count_{{ window }}d as bigint) as order_count_{{ window }}d,
        {%- endfor %}
        {%- for window in [7, 28, 91, 364] %}
        cast(net_spend_{{ window }}d as decimal(18, 2)) as net_spend_{{ window }}d,
        {%- endfor %}
        -- orders a day of the last 28 days against orders a day of the last 91
        {{ ratio('order_count_28d * 91', 'order_count_91d * 28') }} as order_trend,
        {{ ratio('net_spend_28d * 91', 'net_spend_91d * 28') }} as spend_trend,
        {{ ratio('discount_amount', 'bought_amount') }} as discount_share,
        {{ ratio('coupon_amount', 'bought_amount') }} as coupon_share,
        {{ ratio('private_label_amount', 'labelled_amount') }} as private_label_share

    from history

)

select * from customer_spend
