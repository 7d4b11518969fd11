with

latest as (

    {{ latest_version('coupons', ['campaign_id', 'coupon_id', 'product_id']) }}

),

coupons as (

    select
        campaign_id,
        coupon_id,
        product_id

    from latest

)

select * from coupons
