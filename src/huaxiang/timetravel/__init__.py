"""The past: a release made again from raw bytes, a portrait as it was known, and what came to light afterwards.

A past state of a home is its ledger up to a landing call. Nothing here writes into the home but errata, which lie
beside the releases; everything else is built in a private home that is removed at the end.
"""
