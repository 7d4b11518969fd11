{# How staging resolves landed rows. #}

{# The landed rows of a table that are known at known_at: those of its files in force, or of some of them, each with its file's rank. #}
{% macro known_rows(table, files=none) -%}
    select
        landed.*,
        files.file_rank,
        files.file_version
    from {{ source('landed', table) }} as landed
    inner join ({{ files or files_in_force(table) }}) as files
        on
            landed.source_name = files.source_name
            and landed.file_id = files.file_id
{%- endmacro %}


{# The version of each key that holds at known_at: of several, the one from the file of the highest rank, and in it the last.
   Sources are kept apart, so that two sources with the same key fail the key test instead of overwriting each other. #}
{% macro latest_version(table, key, files=none) -%}
    select * from ({{ known_rows(table, files) }}) as known
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


{# The rank of a source by the policy of identity; one that it does not name comes last. #}
{% macro survival_source_rank(source_name) -%}
    {%- set policy = var('survivorship') -%}
    {%- set ranked = policy['sources'] if policy is mapping else ['first', 'second'] -%}
    case {{ source_name }}
            {%- for source in ranked %} when '{{ source }}' then {{ loop.index }}{% endfor %} else {{ ranked | length + 1 }}
        end
{%- endmacro %}


{# The criterion that decides a field at that place of its rule; 'tie' where the rule has no more. #}
{% macro survival_word(field, place) -%}
    {%- set policy = var('survivorship') -%}
    {%- set criteria = policy['fields'].get(field, []) if policy is mapping else ['source'] -%}
    {{- criteria[place] if criteria | length > place else 'tie' -}}
{%- endmacro %}


{# How far ahead a record is by that criterion; the smaller number wins, and a tie decides nothing. #}
{% macro survival_rank(field, place) -%}
    {%- set criterion = survival_word(field, place) | trim -%}
    {%- if criterion == 'source' -%} cast(source_rank as double)
    {%- elif criterion == 'recency' -%} cast(-1 as double) * {{ days_between("date '1970-01-01'", 'load_date') }}
    {%- elif criterion == 'completeness' -%} cast(-1 as double) * filled
    {%- elif criterion == 'confidence' -%} cast(-1 as double) * confidence
    {%- else -%} cast(0 as double)
    {%- endif -%}
{%- endmacro %}
