{%- set fields = [
    'age_band', 'income_band', 'household_size', 'children', 'marital_status', 'home_ownership', 'household_type'
] -%}

with

declared as (

    {{ latest_version('customers', ['customer_id']) }}

),

keys as (

    select * from {{ ref('customer_keys') }}

),

records as (

    select
        keys.customer_id,
        keys.confidence,
        keys.source_customer_id,
        declared.source_name,
        declared.file_id,
        declared.record_number,
        declared.load_date,
        declared.age_band,
        declared.income_band,
        declared.household_size,
        declared.children,
        declared.marital_status,
        declared.home_ownership,
        declared.household_type,
        {{ survival_source_rank('declared.source_name') }} as source_rank,
        case when declared.age_band is null then 0 else 1 end
        + case when declared.income_band is null then 0 else 1 end
        + case when declared.household_size is null then 0 else 1 end
        + case when declared.children is null then 0 else 1 end
        + case when declared.marital_status is null then 0 else 1 end
        + case when declared.home_ownership is null then 0 else 1 end
        + case when declared.household_type is null then 0 else 1 end as filled

    from declared
    inner join keys
        on
            declared.source_name = keys.source_name
            and declared.customer_id = keys.source_customer_id

),

said as (
    {% for field in fields %}
    {{ 'union all' if not loop.first }}

    select
        customer_id,
        '{{ field }}' as field,
        cast({{ field }} as string) as said_value,
        source_name,
        source_customer_id,
        file_id,
        record_number,
        {{ survival_rank(field, 0) }} as first_rank,
        {{ survival_rank(field, 1) }} as second_rank,
        {{ survival_rank(field, 2) }} as third_rank,
        {{ survival_rank(field, 3) }} as fourth_rank,
        '{{ survival_word(field, 0) }}' as first_word,
        '{{ survival_word(field, 1) }}' as second_word,
        '{{ survival_word(field, 2) }}' as third_word,
        '{{ survival_word(field, 3) }}' as fourth_word
    from records
    where {{ field }} is not null
    {% endfor %}
),

ranked as (

    select
        *,
        row_number() over (
            partition by customer_id, field
            order by
                first_rank asc, second_rank asc, third_rank asc, fourth_rank asc,
                source_name asc, source_customer_id asc
        ) as place

    from said

),

golden as (

    select * from ranked
    where place = 1

),

compared as (

    select
        ranked.customer_id,
        ranked.field,
        ranked.said_value,
        ranked.source_name,
        ranked.file_id,
        ranked.record_number,
        ranked.place = 1 as is_golden,
        case
            when ranked.place = 1 then 'golden'
            when ranked.said_value = golden.said_value then 'same value'
            when ranked.first_rank != golden.first_rank then ranked.first_word
            when ranked.second_rank != golden.second_rank then ranked.second_word
            when ranked.third_rank != golden.third_rank then ranked.third_word
            when ranked.fourth_rank != golden.fourth_rank then ranked.fourth_word
            else 'tie'
        end as reason

    from ranked
    inner join golden
        on
            ranked.customer_id = golden.customer_id
            and ranked.field = golden.field

)

select * from compared
