"""Scores: how likely a customer is to stay away, or to buy a category, in the 28 days that follow."""
