"""Each Relax operator as a kernel, or as an operation on blocked activations."""
