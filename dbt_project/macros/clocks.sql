{# The day a run looks at, and the days a feature table is built for. What is known is decided by the files in force (staging.sql). #}

{# The snapshot days as rows of one column, `as_of`. #}
{% macro snapshot_day_rows() -%}
    {%- for day in var('snapshot_days') %}
    select cast('{{ day }}' as date) as as_of
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
{%- endmacro %}


{# The day whose end is looked at. #}
{% macro as_of() -%}
    cast('{{ var("as_of") }}' as date)
{%- endmacro %}


{# The month of a day as a number: one more each month, across years. #}
{% macro month_number(day) -%}
    (year({{ day }}) * 12 + month({{ day }}))
{%- endmacro %}
