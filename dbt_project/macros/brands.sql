{# The numbers of customer_brands; benchmarks/habits.py reads them here and measures what they make of the figure. #}

{# Of fewer branded purchases in a category there is no favourite. #}
{% macro least_purchases_of_category() -%} 3 {%- endmacro %}


{# Of fewer categories nothing is said. #}
{% macro least_branded_categories() -%} 5 {%- endmacro %}


{# Of fewer branded purchases in all of them neither: the figure would be chance as much as habit. #}
{% macro least_branded_purchases() -%} 250 {%- endmacro %}
