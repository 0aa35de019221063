"""Routing: the route language, and what a call makes of a list of routes."""
