{{
    config(
        materialized='incremental',
        incremental_strategy='replace_days',
        unique_key=['customer_id', 'ordered_on'],
        partition_by=partitioned_by_day(),
    )
}}

with

days as (

    {{ days_to_build() }}

),

lines as (

    select * from {{ ref('stg_order_lines') }}
    where product_id is not null and store_id is not null and not is_return

),

bought as (

    select distinct
        days.ordered_on,
        days.day_fingerprint,
        lines.customer_id,
        lines.store_id,
        lines.product_id

    from days
    inner join lines on days.ordered_on = lines.ordered_on

),

weeks as (

    select distinct week_start_on from {{ ref('promotion_file_weeks') }}

),

-- the week a day lies in: the latest that began in the seven days up to it
days_in_weeks as (

    select
        days.ordered_on,
        max(weeks.week_start_on) as week_start_on

    from days
    inner join weeks
        on
            days.ordered_on >= weeks.week_start_on
            and days.ordered_on < {{ date_plus('weeks.week_start_on', 7) }}

    group by days.ordered_on

),

-- of years of promotions the weeks that are looked at
promotions as (

    select promotion_rows.*
    from {{ ref('stg_promotion_rows') }} as promotion_rows
    where promotion_rows.week_start_on in (select days_in_weeks.week_start_on from days_in_weeks)

),

promoted as (

    select
        bought.customer_id,
        bought.ordered_on,
        bought.store_id,
        bought.product_id,
        max(case when promotions.display_location <> '0' then 1 else 0 end) as is_displayed,
        max(case when promotions.mailer_location <> '0' then 1 else 0 end) as is_mailed

    from bought
    inner join days_in_weeks on bought.ordered_on = days_in_weeks.ordered_on
    inner join promotions
        on
            days_in_weeks.week_start_on = promotions.week_start_on
            and bought.product_id = promotions.product_id
            and bought.store_id = promotions.store_id

    group by bought.customer_id, bought.ordered_on, bought.store_id, bought.product_id

),

customer_promotion_days as (

    select
        bought.customer_id,
        bought.ordered_on,
        count(*) as product_count,
        cast(coalesce(sum(promoted.is_displayed), 0) as bigint) as displayed_count,
        cast(coalesce(sum(promoted.is_mailed), 0) as bigint) as mailed_count,
        bought.day_fingerprint

    from bought
    left join promoted
        on
            bought.customer_id = promoted.customer_id
            and bought.ordered_on = promoted.ordered_on
            and bought.store_id = promoted.store_id
            and bought.product_id = promoted.product_id

    group by bought.customer_id, bought.ordered_on, bought.day_fingerprint

)

select * from customer_promotion_days
