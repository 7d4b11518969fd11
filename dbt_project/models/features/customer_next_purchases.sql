with

categories as (

    select * from {{ ref('customer_category_next_purchases') }}
    where not {{ is_sensitive('category') }}

),

counts as (

    select
        customer_id,
        as_of,
        count(*) as rhythm_category_count,
        count(*) filter (where expected_on > as_of and expected_on <= {{ date_plus('as_of', 7) }}) as due_category_count_7d,
        count(*) filter (where expected_on <= as_of and latest_on >= as_of) as overdue_category_count,
        count(*) filter (where latest_on < as_of) as lapsed_category_count

    from categories

    group by customer_id, as_of

),

-- the next to come; of the same day the one with most gaps, then the first
next_ones as (

    select * from categories
    where expected_on > as_of
    qualify
        row_number() over (
            partition by customer_id, as_of
            order by expected_on asc, gap_count desc, category asc
        ) = 1

),

-- the best known of those that should have come
lapsed_ones as (

    select * from categories
    where latest_on < as_of
    qualify row_number() over (partition by customer_id, as_of order by gap_count desc, category asc) = 1

),

customer_next_purchases as (

    select
        counts.customer_id,
        counts.as_of,
        counts.rhythm_category_count,
        counts.due_category_count_7d,
        counts.overdue_category_count,
        counts.lapsed_category_count,
        next_ones.category as next_category,
        next_ones.expected_on as next_category_on,
        next_ones.earliest_on as next_category_earliest_on,
        next_ones.latest_on as next_category_latest_on,
        next_ones.gap_count as next_category_gap_count,
        lapsed_ones.category as lapsed_category,
        lapsed_ones.last_on as lapsed_category_last_on,
        lapsed_ones.latest_on as lapsed_category_latest_on

    from counts
    left join next_ones
        on
            counts.customer_id = next_ones.customer_id
            and counts.as_of = next_ones.as_of
    left join lapsed_ones
        on
            counts.customer_id = lapsed_ones.customer_id
            and counts.as_of = lapsed_ones.as_of

)

select * from customer_next_purchases
