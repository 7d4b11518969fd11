{# The arithmetic of features, in one place. #}

{# Whether a day lies in the window of so many days that ends with the snapshot day. #}
{% macro in_window(day, days) -%}
    {{ day }} > {{ date_minus('snapshots.as_of', days) }}
{%- endmacro %}


{# A share or mean of two exact sums, rounded at the end; null where there is nothing (or less) to divide by. #}
{% macro ratio(part, whole) -%}
    case when {{ whole }} > 0 then {{ rounded('cast(' ~ part ~ ' as double) / cast(' ~ whole ~ ' as double)', 6) }} end
{%- endmacro %}


{# What a purchase of so many days ago weighs: half after every 28 days. Decimal, so that sums are exact. #}
{% macro interest_weight(age_days) -%}
    cast({{ rounded('power(0.5, cast(' ~ age_days ~ ' as double) / 28)', 9) }} as decimal(10, 9))
{%- endmacro %}


{# The fifth a place (1 = lowest) falls in, 5 being the best. #}
{% macro quintile(place, places) -%}
    cast(1 + floor(cast(({{ place }} - 1) * 5 as double) / {{ places }}) as bigint)
{%- endmacro %}


{# e to a power: the last bit of exp() is not the same on both engines. #}
{% macro e_to(power) -%}
    power(cast(2.718281828459045 as double), {{ power }})
{%- endmacro %}
