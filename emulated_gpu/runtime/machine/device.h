// The device that is emulated, as the file that MOBILENET_TVM_EMULATED_GPU_FILE names describes it: lines of a key and a value.
#pragma once
#include <cstddef>
#include <map>
#include <string>

namespace emulated {

struct Device {
  std::string name = "emulated GPU";
  unsigned compute_capability = 80;
  unsigned multiprocessors = 108;
  unsigned threads_per_block = 1024;
  unsigned shared_bytes_per_block =
      163 * 1024;  // that a block may ask for; static arrays get 48 KiB at most
  unsigned shared_bytes_per_multiprocessor = 164 * 1024;
  unsigned registers_per_multiprocessor = 65536;
  unsigned threads_per_multiprocessor = 2048;
  unsigned l2_bytes = 40U << 20;
  unsigned clock_mhz = 1000;
  size_t memory_bytes = size_t{16} << 30;
  // Bytes of an argument, by "KERNEL ARGUMENT"; of those that are missing the whole allocation counts.
  std::map<std::string, size_t> argument_bytes;
  // The kernels' shared object by the SHA-256 of the device code.
  std::map<std::string, std::string> modules;
};

const Device& TheDevice();

}  // namespace emulated
