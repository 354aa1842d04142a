# Any 64-bit ARM (ARMv8.0: what a package needs beyond that is checked at run time) and glibc 2.28 or newer.
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(ZIG_TARGET aarch64-linux-gnu.2.28)
include("${CMAKE_CURRENT_LIST_DIR}/zig.cmake")

# With it ctest runs the tests here too; QEMU_LD_PREFIX names another folder with an ARM system's lib/.
find_program(QEMU_AARCH64 NAMES qemu-aarch64 qemu-aarch64-static)
if(QEMU_AARCH64 AND NOT CMAKE_HOST_SYSTEM_PROCESSOR STREQUAL CMAKE_SYSTEM_PROCESSOR)
  set(CMAKE_CROSSCOMPILING_EMULATOR "${QEMU_AARCH64}" -cpu cortex-a72)
  if(NOT DEFINED ENV{QEMU_LD_PREFIX})
    list(APPEND CMAKE_CROSSCOMPILING_EMULATOR -L /usr/aarch64-linux-gnu)
  endif()
endif()
