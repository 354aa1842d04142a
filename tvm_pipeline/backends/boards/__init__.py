"""Boards: packages and kernels run on other machines, over TVM's RPC."""
