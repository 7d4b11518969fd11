with

customer_categories as (

    select * from {{ ref('customer_categories') }}

),

-- what a piece costs on average, in categories that are sold by the piece: where more than 1 % of the lines
-- are bulk (fuel, miscellaneous items), quantities are no pieces and prices cannot be compared
category_prices as (

    select
        as_of,
        category,
        cast(
            {{ rounded('cast(sum(priced_amount) as double) / cast(sum(priced_quantity) as double)', 6) }} as decimal(18, 6)
        ) as mean_price

    from customer_categories

    group by as_of, category

    having sum(bulk_line_count) * 100 <= sum(line_count) and sum(priced_quantity) > 0 and sum(priced_amount) > 0

),

baskets as (

    select
        customer_categories.customer_id,
        customer_categories.as_of,
        sum(customer_categories.priced_amount) as paid_amount,
        sum(customer_categories.priced_quantity * category_prices.mean_price) as mean_amount

    from customer_categories
    inner join category_prices
        on
            customer_categories.as_of = category_prices.as_of
            and customer_categories.category = category_prices.category

    where customer_categories.priced_quantity > 0

    group by customer_categories.customer_id, customer_categories.as_of

),

customer_price_levels as (

    select
        customer_id,
        as_of,
        {{ ratio('paid_amount', 'mean_amount') }} as price_level

    from baskets

)

select * from customer_price_levels
