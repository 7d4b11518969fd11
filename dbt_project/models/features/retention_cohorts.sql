with

snapshots as (

    select
        as_of,
        {{ month_number(date_plus('as_of', 1)) }} - 1 as last_whole_month

    from {{ ref('snapshot_days') }}

),

order_days as (

    select
        customer_id,
        ordered_on,
        {{ month_number('ordered_on') }} as order_month

    from {{ ref('customer_days') }}

    where order_count > 0

),

first_orders as (

    select
        customer_id,
        min(order_month) as first_month,
        cast(date_trunc('month', min(ordered_on)) as date) as cohort_month

    from order_days

    group by customer_id

),

cohorts as (

    select
        first_month,
        cohort_month,
        count(*) as customers

    from first_orders

    group by first_month, cohort_month

),

active as (

    select
        first_orders.first_month,
        order_days.order_month,
        count(distinct order_days.customer_id) as active_customers

    from first_orders
    inner join order_days on first_orders.customer_id = order_days.customer_id

    group by first_orders.first_month, order_days.order_month

),

-- counted and not looked up in the orders: a month in which nobody of a cohort ordered is a month, too
ages as (

    {{ whole_numbers(120) }}

),

retention_cohorts as (

    select
        snapshots.as_of,
        cohorts.cohort_month,
        cast(ages.number as bigint) as months_since,
        cast(cohorts.customers as bigint) as customers,
        cast(coalesce(active.active_customers, 0) as bigint) as active_customers,
        {{ ratio('coalesce(active.active_customers, 0)', 'cohorts.customers') }} as active_share

    from snapshots
    cross join cohorts
    inner join ages on snapshots.last_whole_month >= cohorts.first_month + ages.number
    left join
        active
        on
            cohorts.first_month = active.first_month
            and active.order_month = cohorts.first_month + ages.number

)

select * from retention_cohorts
