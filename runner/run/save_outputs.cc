#include "run/save_outputs.h"

#include <cctype>
#include <fstream>
#include <set>

#include "error.h"
#include "io/npy.h"

namespace mobilenet_tvm {

std::vector<std::string> FileNames(const std::vector<TensorSpec>& outputs) {
  std::vector<std::string> names;
  std::set<std::string> taken;
  for (const TensorSpec& output : outputs) {
    std::string name = output.name;
    for (char& c : name) {
      const bool may_stay =
          std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_';
      c = may_stay || c == '.' ? c : '_';
    }
    if (name.empty() || name.front() == '.') {
      name.insert(0, "_");
    }
    for (int twin = 1; !taken.insert(name).second; ++twin) {
      name += "_" + std::to_string(twin);
    }
    names.push_back(name);
  }
  return names;
}

void SaveOutputs(const std::filesystem::path& folder, const Manifest& manifest,
                 const std::vector<Array>& outputs) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  const std::vector<std::string> names = FileNames(manifest.outputs);
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const std::filesystem::path path = folder / (names.at(i) + ".npy");
    const std::string bytes = FormatNpy(outputs[i]);
    std::ofstream file(path, std::ios::binary);
    file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    if (!file.flush()) {
      throw UserError(path.string() + ": cannot be written");
    }
  }
}

}  // namespace mobilenet_tvm
