with

lines as (

    select * from {{ ref('stg_order_lines') }}

),

described_products as (

    select
        product_id,
        coalesce(category, '')
        || '|' || coalesce(product_type, '')
        || '|' || coalesce(cast(is_private_label as string), '')
        || '|' || coalesce(department, '')
        || '|' || coalesce(manufacturer_id, '')
        || '|' || product_id as described

    from {{ ref('stg_products') }}

),

products as (

    select
        product_id,
        {{ text_number("described") }} as product_number

    from described_products

),

line_sums as (

    select
        lines.ordered_on,
        lines.file_id,
        count(*) as line_count,
        sum(lines.record_number) as record_sum,
        sum({{ mixed("lines.record_number") }}) as mixed_sum,
        sum(products.product_number) as product_sum

    from lines
    left join products on lines.product_id = products.product_id

    group by lines.ordered_on, lines.file_id

),

day_lines as (

    select
        ordered_on,
        sum(line_count) as line_count,
        sum({{ text_number(
            "file_id || ':' || cast(line_count as string) || ':' || cast(record_sum as string) || ':' || cast(mixed_sum as string)"
        ) }}) as line_sum,
        sum(product_sum) as product_sum

    from line_sums

    group by ordered_on

),

order_sums as (

    select
        ordered_on,
        count(*) as order_count,
        sum({{ text_number(
            "order_id || '|' || customer_id || '|' || coalesce(store_id, '') || '|' || coalesce(cast(ordered_hour as string), '')"
        ) }}) as order_sum

    from {{ ref('stg_orders') }}

    group by ordered_on

),

days as (

    select ordered_on from day_lines

    union

    select ordered_on from order_sums

),

-- what promotes products in the week of a day; the rows of a file are many, so they are known by their file
promotion_weeks as (

    select
        week_start_on,
        cast(sum(record_count) as string) || ':' || cast(sum({{ text_number("source_name || ':' || file_id") }}) as string) as promoted

    from {{ ref('promotion_file_weeks') }}

    group by week_start_on

),

promotions as (

    select
        days.ordered_on,
        max_by(promotion_weeks.promoted, promotion_weeks.week_start_on) as promoted

    from days
    inner join promotion_weeks
        on
            days.ordered_on >= promotion_weeks.week_start_on
            and days.ordered_on < {{ date_plus('promotion_weeks.week_start_on', 7) }}

    group by days.ordered_on

),

fingerprints as (

    select
        days.ordered_on,
        cast(coalesce(day_lines.line_count, 0) as bigint) as line_count,
        coalesce(order_sums.order_count, 0) as order_count,
        md5(
            cast(days.ordered_on as string)
            || ':' || coalesce(cast(day_lines.line_count as string), '')
            || ':' || coalesce(cast(day_lines.line_sum as string), '')
            || ':' || coalesce(cast(day_lines.product_sum as string), '')
            || ':' || coalesce(cast(order_sums.order_count as string), '')
            || ':' || coalesce(cast(order_sums.order_sum as string), '')
            || ':' || coalesce(promotions.promoted, '')
        ) as day_fingerprint

    from days
    left join day_lines on days.ordered_on = day_lines.ordered_on
    left join order_sums on days.ordered_on = order_sums.ordered_on
    left join promotions on days.ordered_on = promotions.ordered_on

)

select * from fingerprints
