"""How the intervals of these tests are made: 95 %, rows of a group at least a little alike, 20 groups for a word."""

from vouch.evaluation.metrics.intervals import Setting

SETTING = Setting(level=0.95, correlation=0.05, few_groups=20)
