-- Every order line and every cent of staging is in the daily aggregates, and nothing else.
with

staged as (

    select
        count(*) as line_count,
        coalesce(sum(net_amount), 0) as net_amount
    from {{ ref('stg_order_lines') }}

),

aggregated as (

    select
        coalesce(sum(line_count), 0) as line_count,
        coalesce(sum(net_amount), 0) as net_amount
    from {{ ref('customer_days') }}

)

select
    staged.line_count as staged_lines,
    aggregated.line_count as aggregated_lines,
    staged.net_amount as staged_amount,
    aggregated.net_amount as aggregated_amount
from staged
cross join aggregated
where staged.line_count <> aggregated.line_count or staged.net_amount <> aggregated.net_amount
