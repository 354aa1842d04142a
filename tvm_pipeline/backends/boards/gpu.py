"""The GPU of a board, as TVM's RPC reaches it."""

from dataclasses import replace

from mobilenet_tvm.base.errors import UserError
from tvm_pipeline.backends.boards.session import BoardSession


def with_gpu(session: BoardSession, compute_capability: int) -> BoardSession:
    """The session, whose board now says what GPU it has.

    :param compute_capability: that it must have, ten times: 80 is 8.0.
    :raises UserError: it has no GPU that its server reaches, or one of another kind.
    """
    address = session.board.address
    try:
        gpu = session.remote.cuda(0)
        if not gpu.exist:
            raise UserError(f"the board at {address} has no NVIDIA GPU that its server reaches")
        found, name = str(gpu.compute_version), str(gpu.device_name)
    except UserError:
        raise
    except Exception as error:  # whatever TVM makes of a server without CUDA
        raise UserError(f"the server of the board at {address} knows no CUDA") from error
    wanted = f"{compute_capability // 10}.{compute_capability % 10}"
    if found != wanted:
        raise UserError(
            f"the board at {address} has a GPU of compute capability {found} ({name}), the target is for {wanted}: "
            f"tune for cuda-sm_{found.replace('.', '')}"
        )
    return replace(session, board=replace(session.board, gpu=name))
