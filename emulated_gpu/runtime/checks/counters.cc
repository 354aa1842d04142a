#include "checks/counters.h"

#include <cstdio>
#include <cstdlib>

#include "checks/failure.h"

namespace emulated {
namespace {

const char* Path() {
  static const char* path = std::getenv("MOBILENET_TVM_EMULATED_GPU_COUNTERS");
  return path;
}

std::string Triple(const std::array<unsigned, 3>& values) {
  return "[" + std::to_string(values[0]) + ", " + std::to_string(values[1]) + ", " +
         std::to_string(values[2]) + "]";
}

std::string Field(const char* name, uint64_t value) {
  return std::string("\"") + name + "\": " + std::to_string(value);
}

}  // namespace

bool Counting() { return Path() != nullptr; }

void WriteCounters(const EmulatedKernel& kernel, const Shape& shape, unsigned shared_bytes,
                   const Traffic& traffic) {
  std::string line =
      std::string(R"({"kernel": ")") + kernel.name + R"(", "grid": )" + Triple(shape.grid) +
      R"(, "block": )" + Triple(shape.block) + ", " + Field("shared_bytes", shared_bytes) + ", " +
      Field("unique_bytes_read", traffic.unique_bytes_read) + ", " +
      Field("unique_bytes_written", traffic.unique_bytes_written) + ", " +
      Field("bytes_loaded", traffic.bytes_loaded) + ", " +
      Field("bytes_stored", traffic.bytes_stored) + ", " +
      Field("sector_bytes_loaded", traffic.sector_bytes_loaded) + ", " +
      Field("sector_bytes_stored", traffic.sector_bytes_stored) + R"(, "arguments": [)";
  for (const ArgumentTraffic& argument : traffic.arguments) {
    if (line.back() == '}') {
      line += ", ";
    }
    line += R"({"name": ")" + argument.name + R"(", )" + Field("bytes", argument.bytes) + ", " +
            Field("unique_bytes_read", argument.unique_bytes_read) + ", " +
            Field("unique_bytes_written", argument.unique_bytes_written) + "}";
  }
  line += "]}\n";
  std::FILE* file = std::fopen(Path(), "a");
  if (file == nullptr || std::fputs(line.c_str(), file) < 0) {
    Report(std::string("cannot write counters to ") + Path());
  }
  if (file != nullptr) {
    std::fclose(file);
  }
}

}  // namespace emulated
