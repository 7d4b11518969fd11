{# The numbers of customer_category_next_purchases; benchmarks/next_purchases.py reads them here and measures them. #}

{# Gaps of the category beside the customer's own. #}
{% macro category_gap_weight() -%} 6 {%- endmacro %}


{# Of fewer gaps nothing is said. #}
{% macro least_gaps() -%} 4 {%- endmacro %}


{# Spreads to either side that hold 80 % of the gaps. #}
{% macro gap_spreads() -%} 1.2 {%- endmacro %}


{# Whole days of the logarithm of a gap, one at least. #}
{% macro days_of_log(log_days) -%}
    greatest(1, round({{ e_to(log_days) }}))
{%- endmacro %}
