"""Associations: which product types are bought together more often than by chance, as rules with exact counts."""
