# Sets STB_IMAGE_HEADER to stb_image.h, which decodes PNG and JPEG, or to nothing.
#
# In this order: -DSTB_IMAGE_DIR, the system's (Debian: libstb-dev), a download of a pinned commit. Where none is to be
# had the program is built without PNG and JPEG and says so.
set(STB_IMAGE_DIR "" CACHE PATH "folder with stb_image.h; OFF builds without PNG and JPEG")
option(STB_IMAGE_DOWNLOAD "download stb_image.h where the system has none" ON)

# 2.30, the newest version of the file
set(stb_commit 013ac3beddff3dbffafd5177e7972067cd2b5083)
set(stb_sha256 594c2fe35d49488b4382dbfaec8f98366defca819d916ac95becf3e75f4200b3)

function(download_stb result)
  set(file "${CMAKE_CURRENT_BINARY_DIR}/stb/stb_image.h")
  if(NOT EXISTS "${file}")
    # EXPECTED_HASH would make a machine without a network fail here; the hash is checked below instead.
    file(DOWNLOAD "https://raw.githubusercontent.com/nothings/stb/${stb_commit}/stb_image.h" "${file}.part"
      STATUS status INACTIVITY_TIMEOUT 10 TIMEOUT 60)
    list(GET status 0 code)
    if(NOT code EQUAL 0)
      return()
    endif()
    file(SHA256 "${file}.part" actual)
    if(NOT actual STREQUAL stb_sha256)
      message(WARNING "the downloaded stb_image.h is not the pinned one and is not used (sha256 ${actual})")
      return()
    endif()
    file(RENAME "${file}.part" "${file}")
  endif()
  set(${result} "${file}" PARENT_SCOPE)
endfunction()

set(STB_IMAGE_HEADER "")
if(STB_IMAGE_DIR)
  if(NOT EXISTS "${STB_IMAGE_DIR}/stb_image.h")
    message(FATAL_ERROR "there is no stb_image.h in STB_IMAGE_DIR=${STB_IMAGE_DIR}")
  endif()
  set(STB_IMAGE_HEADER "${STB_IMAGE_DIR}/stb_image.h")
elseif(NOT STB_IMAGE_DIR STREQUAL "OFF")
  # One header without dependencies: the build machine's serves every target, so look past a sysroot.
  find_file(STB_IMAGE_SYSTEM stb_image.h PATHS /usr/include/stb /usr/local/include/stb /usr/include
    NO_DEFAULT_PATH NO_CMAKE_FIND_ROOT_PATH)
  if(STB_IMAGE_SYSTEM)
    set(STB_IMAGE_HEADER "${STB_IMAGE_SYSTEM}")
  elseif(STB_IMAGE_DOWNLOAD)
    download_stb(STB_IMAGE_HEADER)
  endif()
endif()
set(RUNNER_CODECS "ppm,npy")
if(STB_IMAGE_HEADER)
  set(RUNNER_CODECS "png,jpeg,${RUNNER_CODECS}")
  message(STATUS "PNG and JPEG through ${STB_IMAGE_HEADER}")
else()
  message(STATUS "no stb_image.h: mobilenet-run is built without PNG and JPEG (Debian: apt install libstb-dev)")
endif()
# For whoever cannot run the program to ask it.
file(WRITE "${CMAKE_BINARY_DIR}/codecs.txt" "${RUNNER_CODECS}\n")
