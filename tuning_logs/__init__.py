"""What was measured: `<target>/<dtype>.jsonl`, a line per layer, and where each line came from. Data only."""
