with

latest as (

    {{ latest_version('stores', ['store_id']) }}

),

stores as (

    select
        store_id,
        store_name,
        region

    from latest

)

select * from stores
