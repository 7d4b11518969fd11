{{ config(materialized='view') }}

with

known as (

    {{ known_rows('promotions') }}

),

promotion_rows as (

    select
        product_id,
        store_id,
        week_start_on,
        display_location,
        mailer_location

    from known

)

select * from promotion_rows
