with

latest as (

    {{ latest_version('products', ['product_id']) }}

),

products as (

    select
        product_id,
        department,
        category,
        product_type,
        is_private_label,
        manufacturer_id,
        package_size,
        margin_share

    from latest

)

select * from products
