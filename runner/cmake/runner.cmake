# What every form of mobilenet-run is made of, and how it is compiled.
set(CMAKE_CXX_STANDARD 17)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -DNDEBUG")

include("${CMAKE_CURRENT_LIST_DIR}/stb.cmake")

get_filename_component(runner_folder "${CMAKE_CURRENT_LIST_DIR}" DIRECTORY)
set(runner_sources
  commands.cc options.cc report.cc
  cpu/cpu_features.cc cpu/cpu_features_${CMAKE_SYSTEM_PROCESSOR}.cc cpu/peak.cc cpu/peak_${CMAKE_SYSTEM_PROCESSOR}.cc
  io/array.cc io/base64.cc io/file.cc io/image.cc io/json.cc io/json_writer.cc io/npy.cc io/npz.cc io/preprocess.cc io/resample.cc
  package/manifest.cc package/sha256.cc
  run/cuda_graphs.cc run/gpu.cc run/latency.cc run/network_input.cc run/save_outputs.cc
  run/self_test.cc run/session.cc run/top_k.cc
  serve/socket.cc)
list(TRANSFORM runner_sources PREPEND "${runner_folder}/")
foreach(source IN LISTS runner_sources)
  if(NOT EXISTS "${source}")
    message(FATAL_ERROR "mobilenet-run is not ported to ${CMAKE_SYSTEM_PROCESSOR}: there is no ${source}")
  endif()
endforeach()

# Adds the sources to a target, and what they are compiled with.
function(add_runner_sources target)
  target_sources(${target} PRIVATE ${runner_sources})
  target_include_directories(${target} PUBLIC "${runner_folder}")
  # No contraction: the resize is bit-identical to Pillow's only if a*b+c rounds twice.
  target_compile_options(${target} PUBLIC -Wall -Wextra -Werror -ffp-contract=off)
  target_compile_definitions(${target} PRIVATE MOBILENET_TVM_VERSION="${MOBILENET_TVM_VERSION}"
    MOBILENET_RUN_CODECS="${RUNNER_CODECS}")
  if(STB_IMAGE_HEADER)
    get_filename_component(stb_folder "${STB_IMAGE_HEADER}" DIRECTORY)
    target_sources(${target} PRIVATE "${runner_folder}/io/codec_stb.cc")
    target_include_directories(${target} SYSTEM PRIVATE "${stb_folder}")
    target_compile_definitions(${target} PRIVATE MOBILENET_RUN_HAS_STB)
    # The implementation of stb_image is included there: its unused functions are not ours to mend.
    set_source_files_properties("${runner_folder}/io/codec_stb.cc" PROPERTIES COMPILE_OPTIONS -Wno-unused-function)
  endif()
endfunction()
