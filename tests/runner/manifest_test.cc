#include "package/manifest.h"

#include "check.h"

using mobilenet_tvm::ParseManifest;

namespace {

const std::string kDigest(64, 'a');
const std::string kGood = R"({"schema_version": 1, "model": {"name": "m", "weights": "random"},
  "target": {"name": "x86-64-v3", "arch": "x86_64", "cpu_features": ["avx2"], "tvm": {}},
  "dtype": "float32", "threads": 2,
  "inputs": [{"name": "x", "shape": [1, 3, 32, 32], "dtype": "float32"}],
  "outputs": [{"name": "y", "shape": [1, 10], "dtype": "float32"}],
  "preprocessing": {"resize": 36, "crop": 32, "interpolation": "bilinear", "mean": [0.5, 0.25, 0],
                    "std": [1, 2, 3], "channel_order": "RGB", "scale": 0.5},
  "labels": ["cat"], "versions": {}, "kernels": [], "later": [1], "files": {"module.so": ")" +
                          kDigest + R"("}})";

std::string With(const std::string& from, const std::string& to) {
  std::string text = kGood;
  const std::size_t at = text.find(from);
  CHECK(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

}  // namespace

TEST(reads_all_it_needs) {
  const auto manifest = ParseManifest(kGood);
  CHECK_EQ(manifest.model, "m");
  CHECK_EQ(manifest.target, "x86-64-v3");
  CHECK_EQ(manifest.arch, "x86_64");
  CHECK_EQ(manifest.cpu_features.at(0), "avx2");
  CHECK_EQ(manifest.threads, 2);
  CHECK_EQ(manifest.inputs.at(0).shape.at(3), 32);
  CHECK_EQ(manifest.preprocessing->mean[1], 0.25F);
  CHECK_EQ(manifest.preprocessing->std[2], 3.0F);
  CHECK_EQ(manifest.files.at(0).second, kDigest);
  CHECK_EQ(LabelOf(manifest, 0), "cat");
  CHECK_EQ(LabelOf(manifest, 7), "class 7");
  CHECK_EQ(manifest.tolerance, 1e-4);
}

TEST(device_code) {
  CHECK(!ParseManifest(kGood).device_code);
  CHECK(!ParseManifest(With("\"later\": [1]", "\"device_code\": null")).device_code);
  const auto of = [](const std::string& values) {
    return ParseManifest(With("\"later\": [1]", "\"device_code\": {" + values + "}")).device_code;
  };
  CHECK_EQ(of(R"("arch": "sm_80", "driver": "580")")->compute_capability, 80);
  CHECK_EQ(of(R"("arch": "sm_80", "driver": "580")")->driver, "580");
  CHECK_EQ(of(R"("arch": "sm_120", "driver": null)")->compute_capability, 120);
  CHECK_EQ(of(R"("arch": "sm_120", "driver": null)")->driver, "");
  for (const char* arch : {"sm_", "sm_80a", "compute_80", "sm_-8", ""}) {
    CHECK_USER_ERROR(of("\"arch\": \"" + std::string(arch) + "\""), "device_code.arch");
  }
}

TEST(optional_parts) {
  CHECK(ParseManifest(With("[\"cat\"]", "null")).labels.empty());
  CHECK(!ParseManifest(With("\"preprocessing\"", "\"was_preprocessing\"")).preprocessing);
  CHECK_EQ(ParseManifest(With("\"later\": [1]", "\"tolerance\": 0.02")).tolerance, 0.02);
}

TEST(the_schema_comes_first) {
  CHECK_USER_ERROR(ParseManifest("{\"schema_version\": 2}"), "has schema 2, this program reads 1");
  CHECK_USER_ERROR(ParseManifest("{\"schema_version\": 0}"), "unknown schema 0");
  CHECK_USER_ERROR(ParseManifest("{\"schema_version\": \"1\"}"), "schema_version is not a whole");
  CHECK_USER_ERROR(ParseManifest("{}"), "has no \"schema_version\"");
  CHECK_USER_ERROR(ParseManifest("[]"), "is not an object");
}

TEST(refuses_what_it_cannot_do) {
  CHECK_USER_ERROR(ParseManifest(With("bilinear", "bicubic")), "interpolation is bicubic");
  CHECK_USER_ERROR(ParseManifest(With("\"RGB\"", "\"BGR\"")), "channel_order is BGR");
  CHECK_USER_ERROR(ParseManifest(With("\"resize\": 36", "\"resize\": 31")), "crop");
  CHECK_USER_ERROR(ParseManifest(With("\"crop\": 32", "\"crop\": 30")), "makes 3x30x30");
  CHECK_USER_ERROR(ParseManifest(With("[1, 2, 3]", "[1, 0, 3]")), "std is not positive");
  CHECK_USER_ERROR(ParseManifest(With("[1, 2, 3]", "[1, 2]")), "3 numbers");
  CHECK_USER_ERROR(ParseManifest(With("[1, 3, 32, 32]", "[1, 3, -1, 32]")), "inputs[0].shape[2]");
  CHECK_USER_ERROR(ParseManifest(With("[1, 3, 32, 32]", "[9999999, 9999999, 9999999, 32]")),
                   "too large");
  CHECK_USER_ERROR(ParseManifest(With("\"threads\": 2", "\"threads\": 0")), "threads");
  CHECK_USER_ERROR(ParseManifest(With(kDigest, "ABC")), "files.module.so is not a SHA-256");
  CHECK_USER_ERROR(ParseManifest(With("\"arch\"", "\"arc\"")), "target has no \"arch\"");
}

TEST(every_cut_is_noticed) {
  for (std::size_t size = 0; size < kGood.size(); ++size) {
    CHECK_USER_ERROR(ParseManifest(kGood.substr(0, size)), "manifest.json: ");
  }
}
