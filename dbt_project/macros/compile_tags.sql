{# Every tag of tags/*.yml as rows of one long table. `tags` holds the home's tags: name, kind, value, evidence, confidence. #}
{% macro compile_tags(tags, profiles) -%}
    {%- for tag in tags if tag.name %}
    select
        customer_id,
        as_of,
        '{{ tag.name }}' as tag,
        cast({{ tag.value }} as string) as value,
        cast({{ tag.confidence }} as double) as confidence,
        cast({{ tag.evidence }} as string) as evidence,
        '{{ tag.kind }}' as source
    from {{ profiles }}
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- else %}
    select
        customer_id,
        as_of,
        '' as tag,
        cast(null as string) as value,
        cast(null as double) as confidence,
        cast(null as string) as evidence,
        '' as source
    from {{ profiles }}
    {%- endfor %}
{%- endmacro %}
