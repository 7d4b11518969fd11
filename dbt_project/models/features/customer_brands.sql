with

snapshots as (

    select * from {{ ref('snapshot_days') }}

),

purchases as (

    select * from {{ ref('purchases') }}

),

-- private labels apart: they have a figure of their own
branded_products as (

    select
        product_id,
        manufacturer_id
    from {{ ref('stg_products') }}

    where manufacturer_id is not null and coalesce(is_private_label, false) = false

),

brands as (

    select
        purchases.customer_id,
        snapshots.as_of,
        purchases.category,
        branded_products.manufacturer_id,
        count(*) as purchase_count

    from snapshots
    inner join purchases on snapshots.as_of >= purchases.ordered_on
    inner join branded_products on purchases.product_id = branded_products.product_id

    where {{ in_window('purchases.ordered_on', 364) }} and purchases.category is not null

    group by purchases.customer_id, snapshots.as_of, purchases.category, branded_products.manufacturer_id

),

categories as (

    select
        customer_id,
        as_of,
        category,
        sum(purchase_count) as purchase_count,
        max(purchase_count) as favourite_count

    from brands

    group by customer_id, as_of, category

    having sum(purchase_count) >= {{ least_purchases_of_category() }}

),

-- where everybody buys one brand there is no choice, and so no loyalty
choices as (

    select
        as_of,
        category
    from brands

    group by as_of, category

    having count(distinct manufacturer_id) > 1

),

customer_brands as (

    select
        categories.customer_id,
        categories.as_of,
        {{ ratio('sum(categories.favourite_count)', 'sum(categories.purchase_count)') }} as brand_repeat_share,
        count(*) as brand_category_count

    from categories
    inner join choices
        on
            categories.as_of = choices.as_of
            and categories.category = choices.category

    group by categories.customer_id, categories.as_of

    having
        count(*) >= {{ least_branded_categories() }}
        and sum(categories.purchase_count) >= {{ least_branded_purchases() }}

)

select * from customer_brands
