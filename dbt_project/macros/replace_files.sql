{# What is made of landed files: the incremental strategies `replace_files` and `replace_versions`.

   Each row tells which landed file it was made of, in which version (huaxiang.landing.versions), and stays while that version is in force.
   On Spark such a model is a plain table. #}

{# A landed file in its version, as one text. #}
{% macro versioned_file() -%}
    source_name || ':' || file_id || ':' || file_version
{%- endmacro %}


{# The files in force of a landed table. #}
{% macro files_in_force(table) -%}
    select
        source_name,
        file_id,
        file_rank,
        file_version
    from {{ source('landed', 'known_files') }}
    where table_name = '{{ table }}'
{%- endmacro %}


{# Those of them that a model has to read; the others it has read. #}
{% macro files_to_read(table, anew=false) -%}
    select * from ({{ files_in_force(table) }}) as files
    {%- if is_incremental() and not anew %}
    where {{ versioned_file() }} not in (select {{ versioned_file() }} from {{ this }})
    {%- endif %}
{%- endmacro %}


{# Rows that count for themselves: those of files that changed, or are no longer in force, are taken out. #}
{% macro get_incremental_replace_files_sql(arguments) -%}
    delete from {{ arguments['target_relation'] }}
    where {{ versioned_file() }} not in (select {{ versioned_file() }} from ({{ files_in_force(model.config.meta.files_of) }}) as files);

    {{ insert_all(arguments) }}
{%- endmacro %}


{# Rows that are the latest version of their key. What is new is compared with what is there, and the later one holds. #}
{% macro get_incremental_replace_versions_sql(arguments) -%}
    {%- set target, made = arguments['target_relation'], arguments['temp_relation'] -%}
    {%- set key, table = arguments['unique_key'], model.config.meta.files_of -%}
    {%- if holds_still(table) -%}
    delete from {{ made }} as fresh
    using {{ target }} as held, ({{ files_in_force(table) }}) as files_of_fresh, ({{ files_in_force(table) }}) as files_of_held
    where
        fresh.{{ key }} = held.{{ key }}
        and fresh.source_name = files_of_fresh.source_name
        and fresh.file_id = files_of_fresh.file_id
        and held.source_name = files_of_held.source_name
        and held.file_id = files_of_held.file_id
        and (files_of_fresh.file_rank, fresh.record_number) < (files_of_held.file_rank, held.record_number);

    delete from {{ target }} where {{ key }} in (select {{ key }} from {{ made }});
    {%- else -%}
    delete from {{ target }};
    {%- endif %}

    {{ insert_all(arguments) }}
{%- endmacro %}


{# Whether all rows of the model's table may stay: their files are in force as they were, and their customers are who they were. If not, which
   version was the next best is not known, and the table is made anew. #}
{% macro holds_still(table) -%}
    {%- if not (execute and is_incremental()) -%} {%- do return(false) -%} {%- endif -%}
    {%- set moved -%}
        select
            exists (
                select 1 from (select distinct source_name, file_id, file_version from {{ this }}) as held
                where {{ versioned_file() }} not in (select {{ versioned_file() }} from ({{ files_in_force(table) }}) as files)
            )
            or exists (
                select 1
                from (select distinct source_name, source_customer_id, customer_id from {{ this }}) as held
                left join {{ ref('customer_keys') }} as keys using (source_name, source_customer_id)
                where held.customer_id is distinct from keys.customer_id
            )
    {%- endset -%}
    {%- do return(not run_query(moved).columns[0].values()[0]) -%}
{%- endmacro %}


{% macro insert_all(arguments) -%}
    {%- set columns = arguments['dest_columns'] | map(attribute='name') | join(', ') -%}
    insert into {{ arguments['target_relation'] }} ({{ columns }})
    select {{ columns }} from {{ arguments['temp_relation'] }};
{%- endmacro %}
