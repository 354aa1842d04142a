"""One file per family of networks. Each registers its models with ``frontend.zoo`` when it is imported."""
