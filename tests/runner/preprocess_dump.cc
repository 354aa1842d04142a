// Writes what mobilenet-run would feed to the network, for a comparison with Python's preprocessing:
// preprocess-dump IMAGE RESIZE CROP SCALE MEAN MEAN MEAN STD STD STD > floats

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>

#include "io/file.h"
#include "io/image.h"
#include "io/preprocess.h"

int main(int argc, char** argv) {
  if (argc != 11) {
    std::fputs("preprocess-dump IMAGE RESIZE CROP SCALE MEAN MEAN MEAN STD STD STD\n", stderr);
    return 2;
  }
  try {
    mobilenet_tvm::Preprocessing spec;
    spec.resize = std::stoi(argv[2]);
    spec.crop = std::stoi(argv[3]);
    spec.scale = static_cast<float>(std::stod(argv[4]));
    for (std::size_t c = 0; c < 3; ++c) {
      spec.mean[c] = static_cast<float>(std::stod(argv[5 + c]));
      spec.std[c] = static_cast<float>(std::stod(argv[8 + c]));
    }
    const std::string bytes = mobilenet_tvm::ReadFile(argv[1], argv[1], std::uintmax_t{1} << 30U);
    const auto tensor =
        mobilenet_tvm::Preprocess(mobilenet_tvm::DecodeImage(bytes, argv[1]), spec, argv[1]);
    return std::fwrite(tensor.data(), sizeof(float), tensor.size(), stdout) == tensor.size() ? 0
                                                                                             : 1;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 2;
  }
}
