"""What tells how long a candidate takes; a new way to measure is one folder."""
