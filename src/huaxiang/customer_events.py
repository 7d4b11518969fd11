"""What a customer did and what was done with the customer: the events that audiences ask for and that `why` names.

Each event is rows of staging with the same few columns first: customer_id, happened_on (local day), and the drop and
record that the row came from (source_name, file_id, record_number; empty where a row was put together from others).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class EventColumn:
    """A column that conditions may ask for. type: text, number, boolean; need: what a home must have to fill it."""

    type: str
    need: str = ""


@dataclass(frozen=True)
class CustomerEvent:
    """One kind of event. `said` names it to a person; `need` is the canonical table; `rows` is SQL over staging."""

    name: str
    said: str
    need: str
    rows: str
    columns: Mapping[str, EventColumn] = field(default_factory=dict)

    @property
    def has_orders(self) -> bool:
        return "order_id" in self.columns


_LINE_COLUMNS = {
    "order_id": EventColumn("text"),
    "product_id": EventColumn("text", "order_lines.product_id"),
    "department": EventColumn("text", "products.department"),
    "category": EventColumn("text", "products.category"),
    "product_type": EventColumn("text", "products.product_type"),
    "is_private_label": EventColumn("boolean", "products.is_private_label"),
    "manufacturer_id": EventColumn("text", "products.manufacturer_id"),
    "store_id": EventColumn("text", "order_lines.store_id"),
    "quantity": EventColumn("number"),
    "gross_amount": EventColumn("number"),
    "discount_amount": EventColumn("number", "order_lines.discount_amount"),
    "coupon_amount": EventColumn("number", "order_lines.coupon_amount"),
    "net_amount": EventColumn("number"),
    "is_return": EventColumn("boolean"),
}

_LINES = """
    select
        lines.customer_id,
        lines.ordered_on as happened_on,
        lines.ordered_at as happened_at,
        lines.source_name,
        lines.file_id,
        lines.record_number,
        lines.order_id,
        lines.product_id,
        products.department,
        products.category,
        products.product_type,
        products.is_private_label,
        products.manufacturer_id,
        lines.store_id,
        lines.quantity,
        lines.gross_amount,
        lines.discount_amount,
        lines.coupon_amount,
        lines.net_amount,
        lines.is_return
    from staging.stg_order_lines as lines
    left join staging.stg_products as products on lines.product_id = products.product_id
"""

# What happened on a day, so that conditions can ask for it.
EVENTS = {
    event.name: event
    for event in (
        CustomerEvent("order_lines", "order lines, returns included", "order_lines", _LINES, _LINE_COLUMNS),
        CustomerEvent(
            "purchases", "order lines bought", "order_lines", f"{_LINES}    where not lines.is_return\n", _LINE_COLUMNS
        ),
        CustomerEvent(
            "returns", "order lines returned", "order_lines", f"{_LINES}    where lines.is_return\n", _LINE_COLUMNS
        ),
        CustomerEvent(
            "orders",
            "orders",
            "order_lines",
            """
    select
        customer_id,
        ordered_on as happened_on,
        source_name,
        file_id,
        record_number,
        order_id,
        store_id,
        ordered_hour
    from staging.stg_orders
""",
            {
                "order_id": EventColumn("text"),
                "store_id": EventColumn("text", "order_lines.store_id"),
                "ordered_hour": EventColumn("number"),
            },
        ),
        CustomerEvent(
            "sends",
            "campaigns sent",
            "sends",
            """
    select
        sends.customer_id,
        sends.sent_on as happened_on,
        sends.source_name,
        sends.file_id,
        sends.record_number,
        sends.campaign_id,
        campaigns.campaign_type,
        sends.channel
    from staging.stg_sends as sends
    left join staging.stg_campaigns as campaigns on sends.campaign_id = campaigns.campaign_id
""",
            {
                "campaign_id": EventColumn("text"),
                "campaign_type": EventColumn("text", "campaigns.campaign_type"),
                "channel": EventColumn("text", "sends.channel"),
            },
        ),
        CustomerEvent(
            "responses",
            "answers to campaigns",
            "responses",
            """
    select
        responses.customer_id,
        responses.responded_on as happened_on,
        responses.source_name,
        responses.file_id,
        responses.record_number,
        responses.campaign_id,
        campaigns.campaign_type,
        responses.coupon_id
    from staging.stg_responses as responses
    left join staging.stg_campaigns as campaigns on responses.campaign_id = campaigns.campaign_id
""",
            {
                "campaign_id": EventColumn("text"),
                "campaign_type": EventColumn("text", "campaigns.campaign_type"),
                "coupon_id": EventColumn("text", "responses.coupon_id"),
            },
        ),
        CustomerEvent(
            "events",
            "events of web and apps",
            "events",
            """
    select
        events.customer_id,
        events.occurred_on as happened_on,
        events.source_name,
        events.file_id,
        events.record_number,
        events.event_type,
        events.product_id,
        products.department,
        products.category,
        products.product_type,
        events.session_id,
        events.page
    from staging.stg_events as events
    left join staging.stg_products as products on events.product_id = products.product_id
""",
            {
                "event_type": EventColumn("text"),
                "product_id": EventColumn("text", "events.product_id"),
                "department": EventColumn("text", "products.department"),
                "category": EventColumn("text", "products.category"),
                "product_type": EventColumn("text", "products.product_type"),
                "session_id": EventColumn("text", "events.session_id"),
                "page": EventColumn("text", "events.page"),
            },
        ),
    )
}

# What the customer said of itself: the values in force of its fields, each with the record it is from. It has no day.
DECLARED = CustomerEvent(
    "customers",
    "declarations",
    "customers",
    """
    select
        customer_id,
        cast(null as date) as happened_on,
        source_name,
        file_id,
        record_number,
        field,
        said_value
    from staging.customer_values
    where is_golden
""",
    {"field": EventColumn("text"), "said_value": EventColumn("text")},
)
