# The folder of an installed Python package, not imported: `import tvm` takes seconds.
function(find_python_package name result)
  set(interpreters "${CMAKE_CURRENT_FUNCTION_LIST_DIR}/../../.venv/bin/python" python3)
  foreach(interpreter IN LISTS interpreters)
    execute_process(
      COMMAND "${interpreter}" -c
        "import importlib.util as u; s = u.find_spec('${name}'); print(s.submodule_search_locations[0] if s else '')"
      OUTPUT_VARIABLE folder OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE failed)
    if(NOT failed AND folder)
      set(${result} "${folder}" PARENT_SCOPE)
      return()
    endif()
  endforeach()
endfunction()

set(TVM_ROOT "" CACHE PATH "folder of the Python package tvm (with lib/)")
set(TVM_FFI_ROOT "" CACHE PATH "folder of the Python package tvm_ffi (with include/ and lib/)")
if(NOT TVM_ROOT)
  find_python_package(tvm TVM_ROOT)
endif()
if(NOT TVM_FFI_ROOT)
  find_python_package(tvm_ffi TVM_FFI_ROOT)
endif()
