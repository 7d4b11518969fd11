{# What dbt does differently on Spark. Its tables are folders of Parquet in the warehouse; the catalogue lives as long as the
   process, and the step that runs dbt fills it from those folders (huaxiang.warehouse.spark). #}

{# Where a table's files lie: known by its name alone, so that another process finds them. #}
{% macro spark__location_clause() -%}
    location '{{ env_var("HUAXIANG_WAREHOUSE") }}/spark/{{ this.schema }}/{{ this.identifier }}'
{%- endmacro %}


{# The types in a model's yml are written once, as DuckDB says them. #}
{% macro spark__cast(field, type) -%}
    cast({{ field }} as {{ 'string' if type == 'varchar' else type }})
{%- endmacro %}


{# dbt-spark knows four incremental strategies; ours is the fifth, and the only one the models use. #}
{% macro dbt_spark_validate_get_incremental_strategy(strategy, file_format) -%}
    {%- if strategy != 'replace_days' -%}
        {%- do exceptions.raise_compiler_error("incremental_strategy '" ~ strategy ~ "': on Spark use 'replace_days'") -%}
    {%- endif -%}
    {%- do return(strategy) -%}
{%- endmacro %}


{% macro dbt_spark_get_incremental_sql(strategy, source, target, existing, unique_key, incremental_predicates) -%}
    {{- spark_replace_days(source, target) -}}
{%- endmacro %}


{# Daily aggregates are partitioned by the day's fingerprint. The folder of a day that changed or vanished is emptied (an external
   table's files outlive a dropped partition) and dropped; days that are not there yet are appended. #}
{% macro spark_replace_days(source, target) -%}
    {%- set columns = adapter.get_columns_in_relation(target) -%}
    {%- set gone = run_query(
        'select distinct day_fingerprint from ' ~ target
        ~ ' where day_fingerprint not in (select day_fingerprint from ' ~ days_of() ~ ')'
    ) -%}
    {%- for day in gone.columns[0].values() -%}
        {%- set nothing -%}
            insert overwrite table {{ target }} partition (day_fingerprint = '{{ day }}')
            select
                {%- for column in columns if column.name != 'day_fingerprint' %}
                cast(null as {{ column.dtype }}) as {{ column.name }}{{ ',' if not loop.last }}
                {%- endfor %}
            where false
        {%- endset -%}
        {%- do run_query(nothing) -%}
        {%- do run_query('alter table ' ~ target ~ " drop if exists partition (day_fingerprint = '" ~ day ~ "')") -%}
    {%- endfor -%}
    insert into {{ target }}
    select {{ columns | map(attribute='name') | join(', ') }} from {{ source }}
{%- endmacro %}
