with

snapshots as (

    select * from {{ ref('snapshot_days') }}

),

lines as (

    select
        customer_id,
        order_id,
        store_id,
        ordered_on,
        net_amount
    from {{ ref('stg_order_lines') }}

    where store_id is not null

),

stores as (

    select
        store_id,
        region
    from {{ ref('stg_stores') }}

),

orders as (

    select
        snapshots.as_of,
        lines.customer_id,
        lines.store_id,
        lines.order_id,
        sum(lines.net_amount) as net_amount

    from snapshots
    inner join lines on snapshots.as_of >= lines.ordered_on

    where {{ in_window('lines.ordered_on', 91) }}

    group by snapshots.as_of, lines.customer_id, lines.store_id, lines.order_id

),

orders_of_places as (

    select
        as_of,
        'store' as level,
        store_id as place_id,
        customer_id,
        net_amount
    from orders

    union all

    select
        orders.as_of,
        'region' as level,
        stores.region as place_id,
        orders.customer_id,
        orders.net_amount

    from orders
    inner join stores on orders.store_id = stores.store_id

    where stores.region is not null

),

-- a customer counts once in a place, however often they come: orders of one customer are alike
customers as (

    select
        as_of,
        level,
        place_id,
        customer_id,
        count(*) as order_count,
        sum(net_amount) as net_spend,
        cast({{ rounded('cast(sum(net_amount) as double) / count(*)', 2) }} as decimal(18, 2)) as basket

    from orders_of_places

    group by as_of, level, place_id, customer_id

),

-- decimals, so that sums do not depend on the order of the rows
sums as (

    select
        as_of,
        level,
        place_id,
        cast(count(*) as bigint) as customer_count,
        cast(sum(order_count) as bigint) as order_count,
        cast(sum(net_spend) as decimal(18, 2)) as net_spend,
        sum(basket) as basket_sum,
        sum(cast(basket * basket as decimal(28, 4))) as square_sum

    from customers

    group by as_of, level, place_id

),

everywhere as (

    select
        as_of,
        level,
        cast(count(*) as double) as places,
        cast(sum(customer_count) as double) as visitors,
        cast(sum(customer_count * customer_count) as double) as visitors_squared,
        cast(sum(basket_sum) as double) as basket_sum,
        cast(sum(square_sum) as double) as square_sum,
        cast(sum(cast(
            {{ rounded('cast(basket_sum as double) * cast(basket_sum as double) / customer_count', 4) }} as decimal(28, 4)
        )) as double) as explained_sum

    from sums

    group by as_of, level

),

-- how far customers of one place differ (within), and how far places do (between), by the method of moments
spreads as (

    select
        as_of,
        level,
        basket_sum / visitors as mean,
        (square_sum - explained_sum) / nullif(visitors - places, 0) as within,
        (
            explained_sum - basket_sum * basket_sum / visitors
            - (places - 1) * (square_sum - explained_sum) / nullif(visitors - places, 0)
        ) / nullif(visitors - visitors_squared / visitors, 0) as between_places

    from everywhere

),

-- the share of a place's own mean that counts; the rest is everybody's
credible as (

    select
        sums.*,
        spreads.mean,
        greatest(coalesce(spreads.between_places, 0), 0) as between_places,
        case
            when spreads.between_places > 0
                then
                    sums.customer_count * spreads.between_places
                    / (sums.customer_count * spreads.between_places + spreads.within)
            else 0
        end as credibility

    from sums
    inner join spreads
        on
            sums.as_of = spreads.as_of
            and sums.level = spreads.level

),

shrunk as (

    select
        *,
        cast(basket_sum as double) / customer_count as own_mean,
        mean + credibility * (cast(basket_sum as double) / customer_count - mean) as expected,
        -- where places do not differ beyond chance, nothing is said of how far one may be
        case when between_places > 0 then 1.96 * sqrt(between_places * (1 - credibility)) end as half_width

    from credible

),

places as (

    select
        level,
        place_id,
        as_of,
        customer_count,
        order_count,
        net_spend,
        {{ rounded('own_mean', 2) }} as basket_mean,
        {{ rounded('expected', 2) }} as basket_expected,
        {{ rounded('expected - half_width', 2) }} as basket_low,
        {{ rounded('expected + half_width', 2) }} as basket_high,
        {{ rounded('credibility', 4) }} as credibility

    from shrunk

)

select * from places
