{# Daily aggregates: the incremental strategy `replace_days`.

   Every row of a daily aggregate carries the fingerprint of its local day (order_days, or what `days_of` names), which also names the day. A day is rebuilt
   exactly when its fingerprint is not in the table yet; rows of days that changed or vanished are deleted. So a run with
   an earlier as_of or known_at is as right as the next day's run, and an increment equals a full rebuild. #}

{# The days a model has to build, with their fingerprints. #}
{% macro days_to_build() -%}
    select
        ordered_on,
        day_fingerprint
    from {{ ref('order_days') }}
    {%- if is_incremental() %}
    where day_fingerprint not in (select day_fingerprint from {{ this }})
    {%- endif %}
{%- endmacro %}


{# The table of days that a model's rows carry the fingerprints of. #}
{% macro days_of() -%}
    {{ ref(model.config.get('meta', {}).get('days_of', 'order_days')) }}
{%- endmacro %}


{# On Spark a daily aggregate is partitioned by day; DuckDB's file needs no such help. #}
{% macro partitioned_by_day() -%}
    {%- do return('day_fingerprint' if target.type == 'spark' else none) -%}
{%- endmacro %}


{# DuckDB's half of the strategy; Spark's is spark_replace_days. #}
{% macro get_incremental_replace_days_sql(arguments) -%}
    {%- set columns = arguments['dest_columns'] | map(attribute='name') | join(', ') %}
    delete from {{ arguments['target_relation'] }}
    where day_fingerprint not in (select day_fingerprint from {{ days_of() }});

    insert into {{ arguments['target_relation'] }} ({{ columns }})
    select {{ columns }} from {{ arguments['temp_relation'] }};
{%- endmacro %}
