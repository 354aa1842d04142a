# Targets for TVM out of its Python packages. Their own find_package(tvm) is broken: tvmTargets.cmake is not in the wheel.

include("${CMAKE_CURRENT_LIST_DIR}/python_package.cmake")

if(TVM_LIBRARIES)
  set(tvm_runtime_library "${TVM_LIBRARIES}/libtvm_runtime.so")
  set(tvm_ffi_library "${TVM_LIBRARIES}/libtvm_ffi.so")
elseif(CMAKE_SYSTEM_PROCESSOR STREQUAL CMAKE_HOST_SYSTEM_PROCESSOR)
  set(tvm_runtime_library "${TVM_ROOT}/lib/libtvm_runtime.so")
  set(tvm_ffi_library "${TVM_FFI_ROOT}/lib/libtvm_ffi.so")
else()
  message(FATAL_ERROR "TVM's runtime for ${CMAKE_SYSTEM_PROCESSOR} is needed: "
    "-DTVM_LIBRARIES=$(.venv/bin/python -m mobilenet_tvm.native.device_runtime ${CMAKE_SYSTEM_PROCESSOR})")
endif()
foreach(file IN ITEMS "${tvm_runtime_library}" "${tvm_ffi_library}" "${TVM_FFI_ROOT}/include/tvm/ffi/function.h")
  if(NOT EXISTS "${file}")
    message(FATAL_ERROR "there is no ${file}: pip install apache-tvm, or name the folders of the Python packages tvm "
      "and tvm_ffi with -DTVM_ROOT= and -DTVM_FFI_ROOT=, and with -DTVM_LIBRARIES= that of the device's libraries")
  endif()
endforeach()

add_library(tvm_headers INTERFACE)
target_include_directories(tvm_headers SYSTEM INTERFACE "${TVM_FFI_ROOT}/include")
# Their default is visibility("default"): the program would export the type information of tvm::ffi::Error, the dynamic
# linker would hand it to TVM's own libraries, theirs is libstdc++'s and zig's is libc++'s, and the first error thrown
# inside TVM would crash there. Empty, it follows -fvisibility=hidden.
target_compile_definitions(tvm_headers INTERFACE TVM_FFI_DLL= TVM_FFI_DLL_EXPORT=)

add_library(tvm_ffi_shared SHARED IMPORTED)
set_target_properties(tvm_ffi_shared PROPERTIES IMPORTED_LOCATION "${tvm_ffi_library}")
add_library(tvm_runtime_shared SHARED IMPORTED)
set_target_properties(tvm_runtime_shared PROPERTIES IMPORTED_LOCATION "${tvm_runtime_library}")

add_library(tvm_libraries INTERFACE)
# Nothing refers to a symbol of libtvm_runtime.so: it registers its functions when it is loaded.
target_link_options(tvm_libraries INTERFACE "LINKER:--no-as-needed")
target_link_libraries(tvm_libraries INTERFACE tvm_runtime_shared tvm_ffi_shared)
