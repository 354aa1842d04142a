#include "cpu/peak.h"

#include <algorithm>
#include <cstdlib>
#include <string>
#include <vector>

#include "check.h"
#include "cpu/cpu_features.h"

using mobilenet_tvm::CpuFeature;
using mobilenet_tvm::FindCpuFeature;
using mobilenet_tvm::MeasurePeaks;
using mobilenet_tvm::Peak;

namespace {

#ifdef __aarch64__
const std::vector<std::string> kDotProducts = {"asimddp"};
#else
const std::vector<std::string> kDotProducts = {"avx512f", "avx512_vnni"};
#endif

bool IsHere(const std::vector<std::string>& features) {
  return std::all_of(features.begin(), features.end(), [](const std::string& feature) {
    return FindCpuFeature(feature) == CpuFeature::kPresent;
  });
}

TEST(what_names_no_feature_has_the_peak_of_float32_alone) {
  const std::vector<Peak> peaks = MeasurePeaks({});
  CHECK(peaks.size() == 1);
  CHECK(peaks[0].dtype == "float32");
  CHECK(peaks[0].gmacs > 0);
}

// Four bytes in a lane. An emulator's times are its own.
TEST(dot_products_of_bytes_have_a_peak_of_their_own) {
  if (!IsHere(kDotProducts)) {
    return;
  }
  const std::vector<Peak> peaks = MeasurePeaks(kDotProducts);
  CHECK(peaks.size() == 2);
  CHECK(peaks[1].dtype == "int8");
  CHECK(std::getenv("MOBILENET_RUN_EMULATED") != nullptr || peaks[1].gmacs > 2 * peaks[0].gmacs);
}

}  // namespace
