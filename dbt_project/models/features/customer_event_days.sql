{{
    config(
        materialized='incremental',
        incremental_strategy='replace_days',
        unique_key=['customer_id', 'event', 'happened_on'],
        partition_by=partitioned_by_day(),
        meta={'days_of': 'event_days'},
    )
}}

{{ event_measures(var('features')) }}
