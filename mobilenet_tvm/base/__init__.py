"""What all parts of the house share; imports nothing of ours."""
