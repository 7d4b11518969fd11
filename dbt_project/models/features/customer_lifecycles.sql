with

snapshots as (

    select * from {{ ref('snapshot_days') }}

),

order_days as (

    select
        customer_id,
        ordered_on,
        min(ordered_on) over (partition by customer_id) as first_on,
        lag(ordered_on) over (partition by customer_id order by ordered_on) as before_on,
        row_number() over (partition by customer_id order by ordered_on) as day_number

    from {{ ref('customer_days') }}

    where order_count > 0

),

-- how long after an order day the customer counts as late: three times the mean gap by then, within 28 and 91 days
rhythms as (

    select
        customer_id,
        ordered_on,
        first_on,
        {{ days_between('before_on', 'ordered_on') }} as gap_days,
        case
            when day_number = 1 then 84
            else least(91, greatest(28, 3 * {{ days_between('first_on', 'ordered_on') }} / (day_number - 1)))
        end as late_after_days

    from order_days

),

gaps as (

    select
        *,
        lag(late_after_days) over (partition by customer_id order by ordered_on) as late_after_days_before

    from rhythms

),

-- the last day by then on which the customer came back late
returns as (

    select
        *,
        max(case when gap_days > late_after_days_before then ordered_on end)
            over (partition by customer_id order by ordered_on rows between unbounded preceding and current row)
            as late_back_on

    from gaps

),

-- steady again: an order 28 days or more after that day, with no late one between
steps as (

    select
        *,
        case when gap_days > 91 then ordered_on end as lapse_back_on,
        late_back_on is null or ordered_on >= {{ date_plus('late_back_on', 28) }} as is_steady

    from returns

),

latest as (

    select
        steps.customer_id,
        snapshots.as_of,
        min(steps.first_on) as first_on,
        max(steps.ordered_on) as last_on,
        max_by(steps.late_after_days, steps.ordered_on) as late_after_days,
        max_by(steps.is_steady, steps.ordered_on) as is_steady,
        max(case when steps.is_steady then steps.ordered_on end) as steady_on,
        max(steps.lapse_back_on) as lapse_back_on

    from snapshots
    inner join steps on snapshots.as_of >= steps.ordered_on

    group by steps.customer_id, snapshots.as_of

),

customer_lifecycles as (

    select
        customer_id,
        as_of,
        case
            when {{ days_between('last_on', 'as_of') }} > 91 then 'lapsed'
            when {{ days_between('first_on', 'as_of') }} < 28 then 'new'
            when lapse_back_on > steady_on then 'returning'
            when not is_steady or {{ days_between('last_on', 'as_of') }} > late_after_days then 'at risk'
            else 'active'
        end as lifecycle_state,
        {{ rounded('cast(late_after_days as double)', 1) }} as late_after_days

    from latest

)

select * from customer_lifecycles
