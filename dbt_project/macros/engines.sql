{# What DuckDB and Spark spell differently, one macro each. Everything else in the models reads the same on both. #}

{# Whole days from the earlier date to the later one. #}
{% macro days_between(earlier, later) -%}
    {%- if target.type == 'spark' -%} cast(datediff({{ later }}, {{ earlier }}) as bigint)
    {%- else -%} date_diff('day', {{ earlier }}, {{ later }})
    {%- endif -%}
{%- endmacro %}


{# Microseconds from the earlier instant to the later one. #}
{% macro microseconds_between(earlier, later) -%}
    {%- if target.type == 'spark' -%} (unix_micros({{ later }}) - unix_micros({{ earlier }}))
    {%- else -%} (epoch_us({{ later }}) - epoch_us({{ earlier }}))
    {%- endif -%}
{%- endmacro %}


{# A date some days earlier. #}
{% macro date_minus(day, days) -%}
    {%- if target.type == 'spark' -%} date_sub({{ day }}, {{ days }})
    {%- else -%} ({{ day }} - {{ days }})
    {%- endif -%}
{%- endmacro %}


{# 1 = Monday ... 7 = Sunday. #}
{% macro day_of_week(day) -%}
    {%- if target.type == 'spark' -%} cast(weekday({{ day }}) + 1 as bigint)
    {%- else -%} isodow({{ day }})
    {%- endif -%}
{%- endmacro %}


{# The wall clock of the home's time zone at an instant kept in UTC. #}
{% macro local_time(instant) -%}
    {%- if target.type == 'spark' -%} from_utc_timestamp({{ instant }}, '{{ var("time_zone") }}')
    {%- else -%} ({{ instant }} at time zone 'UTC' at time zone '{{ var("time_zone") }}')
    {%- endif -%}
{%- endmacro %}


{# A whole number that stands for a text, the same on both engines, so that sums of it do not depend on order. #}
{% macro text_number(text) -%}
    {%- if target.type == 'spark' -%} cast(conv(substr(md5({{ text }}), 1, 15), 16, 10) as decimal(38, 0))
    {%- else -%} cast('0x' || substr(md5({{ text }}), 1, 15) as bigint)
    {%- endif -%}
{%- endmacro %}


{# A double rounded to so many decimals. Both engines do the same three steps, so the last digit is the same too; Spark's own
   round looks at the decimal text of the double instead, which differs where a digit 5 is the first one cut off. #}
{% macro rounded(value, decimals) -%}
    {%- if target.type == 'spark' -%}
        round(({{ value }}) * cast({{ 10 ** decimals }} as double)) / cast({{ 10 ** decimals }} as double)
    {%- else -%} round({{ value }}, {{ decimals }})
    {%- endif -%}
{%- endmacro %}


{# A date some whole number of days later; the number may be a column. #}
{% macro date_plus(day, days) -%}
    {%- if target.type == 'spark' -%} date_add({{ day }}, cast({{ days }} as int))
    {%- else -%} ({{ day }} + cast({{ days }} as integer))
    {%- endif -%}
{%- endmacro %}


{# A whole number below 2^31 that looks drawn, the same on both engines: sums of it tell apart which records they are of. #}
{% macro mixed(number) -%}
    mod(mod({{ number }} * {{ number }}, 2147483647) * 1103515245, 2147483647)
{%- endmacro %}


{# The whole numbers from 0 to one below `count`, as rows of one column, `number`. #}
{% macro whole_numbers(count) -%}
    {%- if target.type == 'spark' -%} select id as number from range({{ count }})
    {%- else -%} select range as number from range({{ count }})
    {%- endif -%}
{%- endmacro %}
