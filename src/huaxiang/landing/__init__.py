"""Landing: take dropped files in as they came, and account for every record of them."""

from huaxiang.landing.land import land
from huaxiang.landing.ledger import conservation, input_hashes, landed_tables

__all__ = ["conservation", "input_hashes", "land", "landed_tables"]
