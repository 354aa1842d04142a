"""Tuning: candidates from the space generators, measured in warm processes, kept in MetaSchedule's database."""
