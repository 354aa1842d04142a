# Common to the toolchains that use ziglang's clang (PyPI: ziglang), a cross compiler with its own headers and libc++.
#
# A toolchain file sets ZIG_TARGET (architecture, system and the oldest glibc to run on) and includes this.
# -DZIG_PYTHON= names the Python whose ziglang is meant; the default is .venv's, then the one on PATH.
set(CMAKE_SYSTEM_NAME Linux)
# try_compile runs this file again, in a project of its own.
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES ZIG_PYTHON ZIG_EXECUTABLE)

if(NOT ZIG_EXECUTABLE)
  foreach(python IN ITEMS "${ZIG_PYTHON}" "${CMAKE_CURRENT_LIST_DIR}/../../.venv/bin/python" python3)
    if(python)
      execute_process(
        COMMAND "${python}" -c
          "import importlib.util as u; s = u.find_spec('ziglang'); print(s.submodule_search_locations[0] + '/zig')"
        OUTPUT_VARIABLE zig OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE failed)
      if(NOT failed)
        break()
      endif()
    endif()
  endforeach()
  if(failed OR NOT EXISTS "${zig}")
    message(FATAL_ERROR "ziglang is not installed: pip install ziglang")
  endif()
  set(ZIG_EXECUTABLE "${zig}" CACHE FILEPATH "zig of the PyPI package ziglang")
endif()

# zig builds its libc++ once for each kind of build, with and without optimisation, with and without symbols, a minute
# each. With these flags CMake's checks (they link too), the program and its tests are of one kind. To debug, build for
# the host without a toolchain.
set(CMAKE_CXX_COMPILER "${ZIG_EXECUTABLE}" c++ -target ${ZIG_TARGET} -O2 -s)
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
