"""What a target's hardware answers."""
