{%- set groups = goods_groups() | list -%}

with

customer_categories as (

    select * from {{ ref('customer_categories') }}
    where purchase_count > 0

),

category_products as (

    select
        category,
        department,
        count(*) as product_count
    from {{ ref('stg_products') }}

    where category is not null

    group by category, department

),

-- the department with most of a category's products; of equal ones the first
categories as (

    select
        category,
        department
    from category_products

    qualify row_number() over (partition by category order by product_count desc, department asc nulls last) = 1

),

customers as (

    select
        customer_categories.customer_id,
        customer_categories.as_of,
        {%- for group in groups %}
        sum(case when {{ in_goods_group(group, 'categories') }} then customer_categories.purchase_count else 0 end) as {{ group }}_count,
        {%- endfor %}
        sum(customer_categories.purchase_count) as purchase_count

    from customer_categories
    inner join categories on customer_categories.category = categories.category

    group by customer_categories.customer_id, customer_categories.as_of

),

everybody as (

    select
        as_of,
        {%- for group in groups %}
        sum({{ group }}_count) as {{ group }}_count,
        {%- endfor %}
        sum(purchase_count) as purchase_count

    from customers

    group by as_of

),

customer_goods as (

    select
        customers.customer_id,
        customers.as_of,
        {%- for group in groups %}
        cast(customers.{{ group }}_count as bigint) as {{ group }}_purchases_364d,
        -- the customer's share of purchases against everybody's
        {{ ratio(
            'customers.' ~ group ~ '_count * everybody.purchase_count',
            'customers.purchase_count * everybody.' ~ group ~ '_count',
        ) }} as {{ group }}_index,
        {%- endfor %}
        cast(customers.purchase_count as bigint) as purchase_count

    from customers
    inner join everybody on customers.as_of = everybody.as_of

)

select * from customer_goods
