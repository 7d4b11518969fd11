with

snapshots as (

    select * from {{ ref('snapshot_days') }}

),

days as (

    select * from {{ ref('customer_days') }}
    where order_count > 0

),

gaps as (

    select
        days.customer_id,
        snapshots.as_of,
        {{ days_between(
            'lag(days.ordered_on) over (partition by days.customer_id, snapshots.as_of order by days.ordered_on)',
            'days.ordered_on',
        ) }} as gap_days

    from snapshots
    inner join days on snapshots.as_of >= days.ordered_on

    where {{ in_window('days.ordered_on', 364) }}

),

sums as (

    select
        customer_id,
        as_of,
        count(gap_days) as gap_count,
        sum(gap_days) as gap_sum,
        sum(gap_days * gap_days) as square_sum

    from gaps

    group by customer_id, as_of

),

customer_gaps as (

    select
        customer_id,
        as_of,
        {{ ratio('gap_sum', 'gap_count') }} as gap_days_mean,
        -- from whole-number sums, so that it does not depend on the order of the rows
        case
            when gap_count > 1
                then {{ rounded(
                    'sqrt('
                    ~ 'cast(gap_count * square_sum - gap_sum * gap_sum as double)'
                    ~ ' / cast(gap_count * (gap_count - 1) as double)'
                    ~ ')',
                    6,
                ) }}
        end as gap_days_std

    from sums

)

select * from customer_gaps
