with

snapshots as (

    select * from {{ ref('snapshot_days') }}

),

order_days as (

    select
        customer_id,
        ordered_on,
        min(ordered_on) over (partition by customer_id) as first_on,
        lead(ordered_on) over (partition by customer_id order by ordered_on) as next_on,
        first_value(net_amount) over (
            partition by customer_id order by ordered_on rows between unbounded preceding and current row
        ) as first_net_amount

    from {{ ref('customer_days') }}

    where order_count > 0

),

-- The first day on which the customer is lapsed as customer_lifecycles has it: the 92nd without an order. It may lie ahead.
-- Orders after a snapshot day change nothing: whoever is not lapsed by then has a first lapse after it, whatever comes.
first_lapses as (

    select
        customer_id,
        first_on,
        first_net_amount,
        min({{ date_plus('ordered_on', 92) }}) as lapsed_on

    from order_days

    where next_on is null or {{ days_between('ordered_on', 'next_on') }} > 91

    group by customer_id, first_on, first_net_amount

),

-- how long each customer was seen to stay: until the first lapse, or until the snapshot day, which says no more than "longer"
stays as (

    select
        snapshots.as_of,
        {{ days_between('first_lapses.first_on', 'least(snapshots.as_of, first_lapses.lapsed_on)') }} as days_since_first_order,
        case when snapshots.as_of >= first_lapses.lapsed_on then 1 else 0 end as has_lapsed,
        row_number() over (
            partition by snapshots.as_of order by first_lapses.first_net_amount, first_lapses.customer_id
        ) as place,
        count(*) over (partition by snapshots.as_of) as places

    from snapshots
    inner join first_lapses on snapshots.as_of >= first_lapses.first_on

),

-- a group has to be known when the stay begins: a value of today knows who lapsed
grouped as (

    select
        as_of,
        'all' as first_day_spend,
        days_since_first_order,
        has_lapsed

    from stays

    union all

    select
        as_of,
        case
            when 3 * place <= places then 'lowest third'
            when 3 * place <= 2 * places then 'middle third'
            else 'highest third'
        end as first_day_spend,
        days_since_first_order,
        has_lapsed

    from stays

),

counts as (

    select
        as_of,
        first_day_spend,
        days_since_first_order,
        count(*) as ended,
        sum(has_lapsed) as lapsed_customers

    from grouped

    group by as_of, first_day_spend, days_since_first_order

),

-- whose stay ends on a day, by a lapse or because the history does, is at risk on it
at_risk as (

    select
        *,
        sum(ended) over (
            partition by as_of, first_day_spend
            order by days_since_first_order desc
            rows between unbounded preceding and current row
        ) as customers_at_risk

    from counts

),

-- sums of logarithms: the product of the shares that stayed (Kaplan and Meier), and Greenwood's variance of it; where a day
-- leaves nobody, neither is a number, and the share is 0 from then on
sums as (

    select
        *,
        min(customers_at_risk - lapsed_customers) over (
            partition by as_of, first_day_spend
            order by days_since_first_order
            rows between unbounded preceding and current row
        ) as least_left,
        sum(
            case
                when customers_at_risk > lapsed_customers
                    then ln(cast(customers_at_risk - lapsed_customers as double) / cast(customers_at_risk as double))
            end
        ) over (
            partition by as_of, first_day_spend
            order by days_since_first_order
            rows between unbounded preceding and current row
        ) as log_share,
        sum(
            case
                when customers_at_risk > lapsed_customers
                    then
                        cast(lapsed_customers as double)
                        / cast(customers_at_risk * (customers_at_risk - lapsed_customers) as double)
            end
        ) over (
            partition by as_of, first_day_spend
            order by days_since_first_order
            rows between unbounded preceding and current row
        ) as greenwood_sum

    from at_risk

),

survival_curve as (

    select
        as_of,
        first_day_spend,
        cast(days_since_first_order as bigint) as days_since_first_order,
        cast(customers_at_risk as bigint) as customers_at_risk,
        cast(lapsed_customers as bigint) as lapsed_customers,
        case when least_left = 0 then 0.0e0 else {{ rounded(e_to('log_share'), 6) }} end as staying_share,
        -- on the scale log(-log(share)), so that the interval stays within 0 and 1
        case
            when least_left > 0 and log_share < 0
                then {{ rounded(e_to('log_share * ' ~ e_to('1.959964e0 * sqrt(greenwood_sum) / -log_share')), 6) }}
        end as staying_share_low,
        case
            when least_left > 0 and log_share < 0
                then {{ rounded(e_to('log_share * ' ~ e_to('-1.959964e0 * sqrt(greenwood_sum) / -log_share')), 6) }}
        end as staying_share_high

    from sums

)

select * from survival_curve
