{{
    config(
        materialized='table' if target.type == 'spark' else 'incremental',
        incremental_strategy='replace_files',
        meta={'files_of': 'promotions'},
    )
}}

with

files as (

    {{ files_to_read('promotions') }}

),

landed as (

    select * from {{ source('landed', 'promotions') }}

),

promotion_file_weeks as (

    select
        landed.source_name,
        landed.file_id,
        files.file_version,
        landed.week_start_on,
        count(*) as record_count

    from landed
    inner join files
        on
            landed.source_name = files.source_name
            and landed.file_id = files.file_id

    group by landed.source_name, landed.file_id, files.file_version, landed.week_start_on

)

select * from promotion_file_weeks
