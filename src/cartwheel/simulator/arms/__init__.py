"""Policies that run a simulated shop."""
