{%- set fields = var('survivorship')['fields'] -%}
{%- set rank_of_source = var('survivorship')['sources'] -%}

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
        declared.*,
        case declared.source_name
            {% for source in rank_of_source -%}
            when '{{ source }}' then {{ loop.index }}
            {% endfor -%}
            else {{ rank_of_source | length + 1 }}
        end as source_rank,
        {% for field in fields -%}
        case when declared.{{ field }} is null then 0 else 1 end{{ ' + ' if not loop.last }}
        {%- endfor %} as filled

    from (
        select
            source_name,
            customer_id as source_customer_id,
            file_id,
            record_number,
            load_date,
            {% for field in fields -%}
            {{ field }}{{ ',' if not loop.last }}
            {% endfor %}
        from declared
    ) as declared
    inner join keys
        on
            declared.source_name = keys.source_name
            and declared.source_customer_id = keys.source_customer_id

),

said as (

    {% for field, criteria in fields.items() -%}
    select
        customer_id,
        '{{ field }}' as field,
        cast({{ field }} as string) as said_value,
        source_name,
        file_id,
        record_number,
        source_customer_id,
        {{ survival_rank(criteria, 0) }} as first_rank,
        {{ survival_rank(criteria, 1) }} as second_rank,
        {{ survival_rank(criteria, 2) }} as third_rank,
        {{ survival_rank(criteria, 3) }} as fourth_rank,
        '{{ criteria[0] }}' as first_word,
        '{{ criteria[1] if criteria | length > 1 else "tie" }}' as second_word,
        '{{ criteria[2] if criteria | length > 2 else "tie" }}' as third_word,
        '{{ criteria[3] if criteria | length > 3 else "tie" }}' as fourth_word
    from records
    where {{ field }} is not null
    {{ 'union all' if not loop.last }}
    {% endfor %}

),

ranked as (

    select
        *,
        row_number() over (
            partition by customer_id, field
            order by first_rank, second_rank, third_rank, fourth_rank, source_name, source_customer_id
        ) as place
    from said

),

compared as (

    select
        ranked.*,
        golden.said_value as golden_value,
        golden.first_rank as golden_first,
        golden.second_rank as golden_second,
        golden.third_rank as golden_third,
        golden.fourth_rank as golden_fourth
    from ranked
    inner join ranked as golden
        on
            ranked.customer_id = golden.customer_id
            and ranked.field = golden.field
            and golden.place = 1

),

reasons as (

    select
        customer_id,
        field,
        said_value,
        source_name,
        file_id,
        record_number,
        place = 1 as is_golden,
        case
            when place = 1 then 'golden'
            when said_value = golden_value then 'same value'
            when first_rank <> golden_first then first_word
            when second_rank <> golden_second then second_word
            when third_rank <> golden_third then third_word
            when fourth_rank <> golden_fourth then fourth_word
            else 'tie'
        end as reason
    from compared

)

select * from reasons
