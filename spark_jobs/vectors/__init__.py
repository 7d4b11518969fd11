"""Customers as short vectors of what they buy, published only where they foretell more than RFM."""
