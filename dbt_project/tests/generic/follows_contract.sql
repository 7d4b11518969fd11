{# The key and the required columns of a canonical table, as its contract (contracts/<table>.yml) states them.
   The step that runs dbt hands the contracts over; one row per broken rule is returned. #}
{% test follows_contract(model, table) %}

{%- set rules = var('contract_keys')[table] %}

select
    'the key is unique' as rule,
    count(*) as failing_keys
from (
    select {{ rules['key'] | join(', ') }}
    from {{ model }}
    group by {{ rules['key'] | join(', ') }}
    having count(*) > 1
) as repeated
having count(*) > 0
{%- for column in rules['required'] %}

union all

select
    '{{ column }} is not empty' as rule,
    count(*) as failing_keys
from {{ model }}
where {{ column }} is null
having count(*) > 0
{%- endfor %}

{% endtest %}
