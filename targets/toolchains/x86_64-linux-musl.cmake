# Static programs for x86_64: musl, whose parts are in the program, asks nothing of the system but Linux.
set(CMAKE_SYSTEM_PROCESSOR x86_64)
set(ZIG_TARGET x86_64-linux-musl)
include("${CMAKE_CURRENT_LIST_DIR}/zig.cmake")
