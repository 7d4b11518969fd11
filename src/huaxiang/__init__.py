"""Huaxiang: from raw customer data to a released portrait of every customer, every day."""

__version__ = "0.1.0"
