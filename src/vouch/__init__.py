"""Vouch trains vision models that you can vouch for."""
