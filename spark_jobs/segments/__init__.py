"""Segments: groups of customers who shop alike, with names made from tested differences."""
