with

snapshots as (

    select * from {{ ref('snapshot_days') }}

),

purchases as (

    select * from {{ ref('purchases') }}

),

product_words as (

    select * from {{ source('landed', 'product_words') }}

),

bought as (

    select
        purchases.customer_id,
        snapshots.as_of,
        purchases.product_type,
        count(*) as purchase_count

    from snapshots
    inner join purchases on snapshots.as_of >= purchases.ordered_on

    where
        {{ in_window('purchases.ordered_on', 91) }}
        and purchases.category is not null
        and not {{ is_sensitive('purchases.category') }}

    group by purchases.customer_id, snapshots.as_of, purchases.product_type

),

customer_words as (

    select
        bought.customer_id,
        bought.as_of,
        product_words.word,
        sum(bought.purchase_count) as purchase_count

    from bought
    inner join product_words on bought.product_type = product_words.product_type

    group by bought.customer_id, bought.as_of, product_words.word

),

customers as (

    select
        as_of,
        count(distinct customer_id) as customer_count
    from customer_words

    group by as_of

),

words as (

    select
        customer_words.as_of,
        customer_words.word,
        {{ ratio('count(*)', 'max(customers.customer_count)') }} as customer_share

    from customer_words
    inner join customers on customer_words.as_of = customers.as_of

    group by customer_words.as_of, customer_words.word

    -- a word of one customer alone is a product's name rather than an interest
    having count(*) > 1

),

weighted as (

    select
        customer_words.customer_id,
        customer_words.as_of,
        customer_words.word,
        customer_words.purchase_count,
        words.customer_share,
        {{ rounded('cast(customer_words.purchase_count as double) * -ln(words.customer_share)', 6) }} as weight

    from customer_words
    inner join words
        on
            customer_words.as_of = words.as_of
            and customer_words.word = words.word

    -- bought once it may be anything
    where customer_words.purchase_count > 1 and words.customer_share < 1

),

ranked as (

    select
        *,
        row_number() over (partition by customer_id, as_of order by weight desc, word asc) as word_rank

    from weighted

),

customer_keywords as (

    select
        customer_id,
        as_of,
        cast(word_rank as bigint) as rank,
        word,
        cast(purchase_count as bigint) as purchase_count,
        customer_share,
        weight

    from ranked

    where word_rank <= 5

)

select * from customer_keywords
