{{ config(materialized='view') }}

with

latest as (

    {{ latest_version('promotions', ['product_id', 'store_id', 'week_start_on', 'display_location', 'mailer_location']) }}

),

promotions as (

    select
        product_id,
        store_id,
        week_start_on,
        display_location,
        mailer_location

    from latest

)

select * from promotions
