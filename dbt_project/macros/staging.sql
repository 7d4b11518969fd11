{# How staging resolves landed rows. #}

{# The landed rows of a table that are known at known_at: those of its files in force, each with its file's rank. #}
{% macro known_rows(table) -%}
    select
        landed.*,
        files.file_rank
    from {{ source('landed', table) }} as landed
    inner join {{ source('landed', 'known_files') }} as files
        on
            landed.source_name = files.source_name
            and landed.file_id = files.file_id
            and files.table_name = '{{ table }}'
{%- endmacro %}


{# The version of each key that holds at known_at: of several, the one from the file of the highest rank, and in it the last.
   Sources are kept apart, so that two sources with the same key fail the key test instead of overwriting each other. #}
{% macro latest_version(table, key) -%}
    select * from ({{ known_rows(table) }}) as known
    qualify
        row_number() over (
            partition by source_name, {{ key | join(', ') }}
            order by file_rank desc, record_number desc
        ) = 1
{%- endmacro %}


{# A record's id as the home knows it: the id itself for the home's first source, 'source:id' for the others. #}
{% macro home_id(source_id, source_name='source_name') -%}
    case
            when {{ source_name }} = '{{ var("first_source") }}' then {{ source_id }}
            else {{ source_name }} || ':' || {{ source_id }}
        end
{%- endmacro %}


{# How far ahead a record is by the criterion at that place of a field's rule; the smaller number wins, and a place without a
   criterion decides nothing. #}
{% macro survival_rank(criteria, place) -%}
    {%- set criterion = criteria[place] if criteria | length > place else 'none' -%}
    {%- if criterion == 'source' -%} cast(source_rank as double)
    {%- elif criterion == 'recency' -%} cast(-{{ days_between("date '1970-01-01'", 'load_date') }} as double)
    {%- elif criterion == 'completeness' -%} cast(-filled as double)
    {%- elif criterion == 'confidence' -%} cast(-confidence as double)
    {%- else -%} cast(0 as double)
    {%- endif -%}
{%- endmacro %}
