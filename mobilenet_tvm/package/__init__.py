"""What ``compile`` writes and every other verb opens."""
