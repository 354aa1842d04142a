# What every form of mobilenet-run is made of; relative to runner/.
set(runner_sources
  commands.cc cpu_features.cc cuda_graphs.cc file.cc gpu.cc image.cc json.cc json_writer.cc latency.cc manifest.cc npy.cc
  npz.cc options.cc preprocess.cc report.cc resample.cc self_test.cc session.cc sha256.cc socket.cc top_k.cc)
foreach(arch_source IN ITEMS "cpu_features_${CMAKE_SYSTEM_PROCESSOR}.cc" "fma_peak_${CMAKE_SYSTEM_PROCESSOR}.cc")
  if(NOT EXISTS "${CMAKE_CURRENT_LIST_DIR}/../${arch_source}")
    message(FATAL_ERROR "mobilenet-run is not ported to ${CMAKE_SYSTEM_PROCESSOR}: there is no ${arch_source}")
  endif()
  list(APPEND runner_sources "${arch_source}")
endforeach()
# In packages that are folders.
set(runner_folder_sources
  board_functions.cc machine.cc module_file.cc package.cc serve.cc tracker.cc)
# The implementation of stb_image is included from here: its unused functions are not ours to mend.
set(runner_stb_source codec_stb.cc)
