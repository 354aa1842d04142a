"""What a package's precision costs: its answers to images beside the float network's."""
