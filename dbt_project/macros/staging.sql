{# How staging resolves landed rows. #}

{# The version of each key that holds at known_at: of several, the one from the latest drop, file and record wins.
   Sources are kept apart, so that two sources with the same key fail the key test instead of overwriting each other. #}
{% macro latest_version(table, key) -%}
    select * from {{ source('landed', table) }}
    where load_date <= {{ known_at() }}
    qualify
        row_number() over (
            partition by source_name, {{ key | join(', ') }}
            order by load_date desc, file_id desc, record_number desc
        ) = 1
{%- endmacro %}


{# A record's id as the home knows it: the id itself for the home's first source, 'source:id' for the others. #}
{% macro home_id(source_id, source_name='source_name') -%}
    case
            when {{ source_name }} = '{{ var("first_source") }}' then {{ source_id }}
            else {{ source_name }} || ':' || {{ source_id }}
        end
{%- endmacro %}
