# Static programs for aarch64: musl, whose parts are in the program, asks nothing of the system but Linux.
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(ZIG_TARGET aarch64-linux-musl)
include("${CMAKE_CURRENT_LIST_DIR}/zig.cmake")
