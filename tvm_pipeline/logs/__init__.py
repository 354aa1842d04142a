"""Tuning logs: whether they still apply, and as a MetaSchedule database."""
