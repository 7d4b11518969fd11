"""Audiences: groups of customers that a file asks for by tags, features and events.

An audience is who, not what is done: nothing is sent from here, and consent is asked where something is.
"""
