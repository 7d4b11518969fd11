{# Declared features (features/*.yml): the SQL of the plan that huaxiang.features.plan makes of them, `var('features')`. #}

{# One row per customer, event table and day: every measure that a feature is put together from. #}
{% macro event_measures(features) -%}
    {%- set features = features if features is mapping else {} -%} {# who lints without dbt has no plan #}
    with

    days as (

        select
            event,
            happened_on as day,
            day_fingerprint
        from {{ ref('event_days') }}
        {%- if is_incremental() %}
        where day_fingerprint not in (select day_fingerprint from {{ this }})
        {%- endif %}

    ),

    {%- for event in features.events %}

    {{ event }} as (

        select
            events.*,
            days.day_fingerprint

        from days
        inner join {{ ref('event_' ~ event) }} as events on days.day = events.happened_on

        where days.event = '{{ event }}'

    ),

    {{ event }}_days as (

        select
            customer_id,
            '{{ event }}' as event,
            happened_on,
            {%- for measure in features.measures %}
            cast({{ measure.sql if measure.event == event else 'null' }} as {{ measure.type }}) as {{ measure.name }},
            {%- endfor %}
            day_fingerprint

        from {{ event }}

        group by customer_id, happened_on, day_fingerprint

    ),
    {%- endfor %}

    all_events as (

        {%- for event in features.events %}
        select * from {{ event }}_days
        {%- if not loop.last %}

        union all
        {% endif %}
        {%- else %}
        select
            cast(null as string) as customer_id,
            event,
            day as happened_on,
            day_fingerprint

        from days

        where false
        {%- endfor %}

    )

    select * from all_events
{%- endmacro %}


{# The features of every customer of `customer_features`, at the end of each snapshot day. #}
{% macro event_features(features) -%}
    {%- set features = features if features is mapping else {} %}
    with

    customers as (

        select
            customer_id,
            as_of
        from {{ ref('customer_features') }}

    ),

    snapshots as (

        select * from {{ ref('snapshot_days') }}

    ),

    -- a day lies in one band of ages, and a window is the bands up to its own: each measure is summed once for all windows
    {%- for event in features.events %}

    {{ event }}_bands as (

        select
            days.customer_id,
            snapshots.as_of,
            {{ age_band(features.bands) }} as band,
            {%- for measure in features.measures if measure.event == event %}
            {{ merged(measure.merge, 'days.' ~ measure.name, 'days.happened_on') }} as {{ measure.name }},
            {%- if measure.merge in ('first', 'last') %}
            {{ 'min' if measure.merge == 'first' else 'max' }}(
                case when days.{{ measure.name }} is not null then days.happened_on end
            ) as {{ measure.name }}_on,
            {%- endif %}
            {%- endfor %}
            count(*) as day_count

        from snapshots
        inner join {{ ref('customer_event_days') }} as days on snapshots.as_of >= days.happened_on

        where
            days.event = '{{ event }}'
            {%- if none not in features.bands %}
            and {{ in_window('days.happened_on', features.bands[-1]) }}
            {%- endif %}

        group by
            days.customer_id,
            snapshots.as_of,
            {{ age_band(features.bands) }}

    ),

    {{ event }}_windows as (

        select
            customer_id,
            as_of,
            {%- for column in features.columns if column.table == event ~ '_windows' %}
            {{ windowed_value(column) }} as {{ column.name }},
            {%- endfor %}
            sum(day_count) as day_count

        from {{ event }}_bands

        group by customer_id, as_of

    ),
    {%- endfor %}

    {%- for group in features.sets %}

    {{ group.name }}_values as (

        select
            events.customer_id,
            snapshots.as_of,
            events.{{ group.column }} as set_value,
            {%- for where in group.last %}
            max({{ 'case when (' ~ where ~ ') then events.happened_on end' if where else 'events.happened_on' }}) as last_{{ loop.index }},
            {%- endfor %}
            {%- for count in group.counts %}
            count(
                case
                    when {{ '(' ~ count.where ~ ')' if count.where else 'true' }}
                        {%- if count.days %}
                        and {{ in_window('events.happened_on', count.days) }}
                        {%- endif %}
                        then 1
                end
            ) as count_{{ loop.index }},
            {%- endfor %}
            count(*) as event_count

        from snapshots
        inner join {{ ref('event_' ~ group.event) }} as events on snapshots.as_of >= events.happened_on

        where
            events.{{ group.column }} is not null
            {%- if group.days %}
            and {{ in_window('events.happened_on', group.days) }}
            {%- endif %}

        group by
            events.customer_id,
            snapshots.as_of,
            events.{{ group.column }}

    ),

    {{ group.name }}_counts as (

        select
            customer_id,
            as_of,
            set_value,
            {%- for where in group.last %}
            last_{{ loop.index }},
            {%- endfor %}
            {%- for count in group.counts %}
            count_{{ loop.index }},
            max(count_{{ loop.index }}) over (partition by customer_id, as_of) as most_{{ loop.index }},
            {%- endfor %}
            event_count

        from {{ group.name }}_values

    ),

    {{ group.name }} as (

        select
            customer_id,
            as_of,
            {%- for column in features.columns if column.table == group.name %}
            {{ set_value(column) }} as {{ column.name }},
            {%- endfor %}
            sum(event_count) as event_count

        from {{ group.name }}_counts

        group by customer_id, as_of

    ),
    {%- endfor %}

    customer_event_features as (

        select
            customers.customer_id,
            customers.as_of
            {%- for column in features.columns %},
            {% set value = column.table ~ '.' ~ column.name -%}
            cast({{ value if column.fill is none else 'coalesce(' ~ value ~ ', 0)' }} as {{ column.type }}) as {{ column.name }}
            {%- endfor %}

        from customers
        {%- for table in features.columns | map(attribute='table') | unique %}
        left join {{ table }}
            on
                customers.customer_id = {{ table }}.customer_id
                and customers.as_of = {{ table }}.as_of
        {%- endfor %}

    )

    select * from customer_event_features
{%- endmacro %}


{# The number of the first band that reaches back to a day. #}
{% macro age_band(bands) -%}
    case
            {%- for days in bands if days is not none %}
                when {{ in_window('days.happened_on', days) }} then {{ loop.index }}
            {%- endfor %}
                else {{ bands | length }}
            end
{%- endmacro %}


{# Figures of several days, or bands, as one. #}
{% macro merged(merge, value, day) -%}
    {%- if merge == 'first' -%} min_by({{ value }}, case when {{ value }} is not null then {{ day }} end)
    {%- elif merge == 'last' -%} max_by({{ value }}, case when {{ value }} is not null then {{ day }} end)
    {%- else -%} {{ merge }}({{ value }})
    {%- endif -%}
{%- endmacro %}


{# A measure in a window: the bands up to the window's own, or all of them. #}
{% macro in_bands(part) -%}
    {{ merged(
        part.merge,
        part.measure if part.band is none else 'case when band <= ' ~ part.band ~ ' then ' ~ part.measure ~ ' end',
        part.measure ~ '_on',
    ) }}
{%- endmacro %}


{# A column that is put together from measures. #}
{% macro windowed_value(column) -%}
    {%- if column.kind == 'ratio' -%} {{ ratio('coalesce(' ~ in_bands(column.part) ~ ', 0)', in_bands(column.whole)) }}
    {%- elif column.kind == 'age' -%} {{ days_between(in_bands(column.part), 'as_of') }}
    {%- else -%} {{ in_bands(column.part) }}
    {%- endif -%}
{%- endmacro %}


{# A column that looks at the values themselves. #}
{% macro set_value(column) -%}
    {%- if column.kind == 'distinct' and column.days -%}
        nullif(count(case when last_{{ column.last }} > {{ date_minus('as_of', column.days) }} then 1 end), 0)
    {%- elif column.kind == 'distinct' -%} nullif(count(last_{{ column.last }}), 0)
    {%- elif column.kind == 'mode' -%}
        min(case when count_{{ column.count }} > 0 and count_{{ column.count }} = most_{{ column.count }} then set_value end)
    {%- else -%} {{ entropy('count_' ~ column.count) }}
    {%- endif -%}
{%- endmacro %}


{# Shannon entropy of counts, in nats. The terms are cut to decimals, so that their sum does not depend on the order. #}
{% macro entropy(count) -%}
    {%- set term = 'cast(case when ' ~ count ~ ' > 0 then ' ~ rounded(
        'cast(' ~ count ~ ' as double) * ln(cast(case when ' ~ count ~ ' > 0 then ' ~ count ~ ' end as double))', 9
    ) ~ ' end as decimal(28, 9))' -%}
    case
                when sum({{ count }}) > 0
                    then {{ rounded(
                        'ln(cast(sum(' ~ count ~ ') as double)) - cast(sum(' ~ term ~ ') as double) / cast(sum(' ~ count ~ ') as double)', 6
                    ) }}
            end
{%- endmacro %}
