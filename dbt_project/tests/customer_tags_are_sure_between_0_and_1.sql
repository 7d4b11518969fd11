-- A confidence is a share of certainty.
select
    customer_id,
    tag,
    confidence
from {{ ref('customer_tags') }}
where confidence < 0 or confidence > 1
