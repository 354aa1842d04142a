# x86-64 of any age (no SSE3, no AVX: what a package needs is checked at run time) and glibc 2.28 or newer.
set(CMAKE_SYSTEM_PROCESSOR x86_64)
set(ZIG_TARGET x86_64-linux-gnu.2.28)
include("${CMAKE_CURRENT_LIST_DIR}/zig.cmake")
