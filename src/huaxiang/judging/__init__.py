"""The one judge: how a model is split from what it is judged on, its figures with intervals, its cost, its leaks.

It knows labels, scores and days, and neither customers' names nor any model: families ask it, it asks nobody.
"""
