{# The arithmetic of features, in one place. #}

{# Whether a day lies in the window of so many days that ends with the snapshot day. #}
{% macro in_window(day, days) -%}
    {{ day }} > {{ date_minus('snapshots.as_of', days) }}
{%- endmacro %}


{# A share or mean of two exact sums, rounded at the end; null where there is nothing (or less) to divide by. #}
{% macro ratio(part, whole) -%}
    case when {{ whole }} > 0 then {{ rounded('cast(' ~ part ~ ' as double) / cast(' ~ whole ~ ' as double)', 6) }} end
{%- endmacro %}


{# What a purchase of so many days ago weighs: half after every 126 days. Decimal, so that sums are exact. The half-life is
   the one that foretold the purchases of the 28 days after best (python -m benchmarks.interests). #}
{% macro interest_weight(age_days) -%}
    cast({{ rounded('power(0.5, cast(' ~ age_days ~ ' as double) / 126)', 9) }} as decimal(10, 9))
{%- endmacro %}


{# The fifth a place (1 = lowest) falls in, 5 being the best. #}
{% macro quintile(place, places) -%}
    cast(1 + floor(cast(({{ place }} - 1) * 5 as double) / {{ places }}) as bigint)
{%- endmacro %}


{# e to a power: the last bit of exp() is not the same on both engines. #}
{% macro e_to(power) -%}
    power(cast(2.718281828459045 as double), {{ power }})
{%- endmacro %}


{# The lower end of the 95 % interval of a share, by Wilson (1927): what the share is at least, few being less sure. #}
{% macro share_low(part, whole) -%}
    {%- set part = 'cast(' ~ part ~ ' as double)' -%}
    {%- set whole = 'cast(' ~ whole ~ ' as double)' -%}
    {%- set spread = '1.959964e0 * sqrt(' ~ part ~ ' * (' ~ whole ~ ' - ' ~ part ~ ') / ' ~ whole ~ ' + 0.96036472e0)' -%}
    case when {{ whole }} > 0 then {{ rounded(
        'greatest((' ~ part ~ ' + 1.92072944e0 - ' ~ spread ~ ') / (' ~ whole ~ ' + 3.84145888e0), 0e0)', 6
    ) }} end
{%- endmacro %}
