{{ config(materialized='view') }}

-- the whole record is the key, so two versions of it are the same
select distinct
    product_id,
    store_id,
    week_start_on,
    display_location,
    mailer_location

from {{ ref('stg_promotion_rows') }}
