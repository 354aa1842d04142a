"""``python -m tvm_pipeline.backends.boards.serve_tracker HOST PORT``: TVM's RPC tracker, until a signal."""

import signal
import socket
import sys

from mobilenet_tvm.base.protocol import die_with_parent


def serve(host: str, port: int) -> None:
    """Tracks boards on an address, which is printed once it answers; port 0: any free one.

    :raises OSError: the address is not free.
    """
    from tvm.rpc.base import random_key
    from tvm.rpc.tracker import _tracker_server

    with socket.create_server((host, port), backlog=64) as listener:
        print(f"{host}:{listener.getsockname()[1]}", flush=True)
        _tracker_server(listener, random_key("tracker"))


if __name__ == "__main__":
    die_with_parent()
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        serve(sys.argv[1], int(sys.argv[2]))
    except OSError as error:
        print(error.strerror or str(error), file=sys.stderr)
        sys.exit(2)
