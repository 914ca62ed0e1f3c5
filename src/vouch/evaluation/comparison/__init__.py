"""Candidate against baseline: paired differences, their intervals and p-values, and what they show."""
