# What every form of mobilenet-run is made of; relative to runner/.
set(runner_sources
  commands.cc options.cc report.cc cpu/cpu_features.cc
  io/file.cc io/image.cc io/json.cc io/json_writer.cc io/npy.cc io/npz.cc io/preprocess.cc io/resample.cc
  package/manifest.cc package/sha256.cc
  run/cuda_graphs.cc run/gpu.cc run/latency.cc run/self_test.cc run/session.cc run/top_k.cc
  serve/socket.cc)
foreach(arch_source IN ITEMS "cpu/cpu_features_${CMAKE_SYSTEM_PROCESSOR}.cc" "cpu/fma_peak_${CMAKE_SYSTEM_PROCESSOR}.cc")
  if(NOT EXISTS "${CMAKE_CURRENT_LIST_DIR}/../${arch_source}")
    message(FATAL_ERROR "mobilenet-run is not ported to ${CMAKE_SYSTEM_PROCESSOR}: there is no ${arch_source}")
  endif()
  list(APPEND runner_sources "${arch_source}")
endforeach()
# In packages that are folders.
set(runner_folder_sources
  cpu/machine.cc package/package.cc run/module_file.cc serve/board_functions.cc serve/serve.cc serve/tracker.cc)
# The implementation of stb_image is included from here: its unused functions are not ours to mend.
set(runner_stb_source io/codec_stb.cc)
