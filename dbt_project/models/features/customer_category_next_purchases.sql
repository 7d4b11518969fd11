with

snapshots as (

    select * from {{ ref('snapshot_days') }}

),

days as (

    select * from {{ ref('customer_category_days') }}
    where purchase_count > 0

),

gaps as (

    select
        days.customer_id,
        days.category,
        snapshots.as_of,
        days.ordered_on,
        {{ days_between(
            'lag(days.ordered_on) over (partition by days.customer_id, days.category, snapshots.as_of order by days.ordered_on)',
            'days.ordered_on',
        ) }} as gap_days

    from snapshots
    inner join days on snapshots.as_of >= days.ordered_on

    where {{ in_window('days.ordered_on', 364) }}

),

-- decimals, so that sums do not depend on the order of the rows
logs as (

    select
        *,
        cast({{ rounded('ln(cast(gap_days as double))', 9) }} as decimal(12, 9)) as log_gap,
        cast({{ rounded('power(ln(cast(gap_days as double)), 2)', 9) }} as decimal(12, 9)) as log_gap_square

    from gaps

),

own as (

    select
        customer_id,
        category,
        as_of,
        max(ordered_on) as last_on,
        count(log_gap) as gap_count,
        cast(sum(log_gap) as double) as log_sum,
        cast(sum(log_gap_square) as double) as square_sum,
        sum(log_gap) as exact_log_sum,
        sum(log_gap_square) as exact_square_sum

    from logs

    group by customer_id, category, as_of

),

categories as (

    select
        category,
        as_of,
        cast(sum(exact_log_sum) as double) / sum(gap_count) as log_mean,
        cast(sum(exact_square_sum) as double) / sum(gap_count) as square_mean

    from own

    where gap_count > 0

    group by category, as_of

),

-- the customer's own gaps, and as many of the category as the weight says
mixed as (

    select
        own.customer_id,
        own.category,
        own.as_of,
        own.last_on,
        own.gap_count,
        (own.log_sum + {{ category_gap_weight() }} * categories.log_mean) / (own.gap_count + {{ category_gap_weight() }}) as log_gap,
        sqrt(greatest(0, (
            own.square_sum - own.log_sum * own.log_sum / own.gap_count
            + {{ category_gap_weight() }} * (categories.square_mean - categories.log_mean * categories.log_mean)
        ) / (own.gap_count + {{ category_gap_weight() }}))) as log_spread

    from own
    inner join categories
        on
            own.category = categories.category
            and own.as_of = categories.as_of

    where own.gap_count >= {{ least_gaps() }}

),

customer_category_next_purchases as (

    select
        customer_id,
        category,
        as_of,
        last_on,
        gap_count,
        {{ date_plus('last_on', days_of_log('log_gap')) }} as expected_on,
        {{ date_plus('last_on', days_of_log('log_gap - ' ~ gap_spreads() ~ ' * log_spread')) }} as earliest_on,
        {{ date_plus('last_on', days_of_log('log_gap + ' ~ gap_spreads() ~ ' * log_spread')) }} as latest_on

    from mixed

)

select * from customer_category_next_purchases
