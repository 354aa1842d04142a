#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace mobilenet_tvm {

/// A dense float32 array in C order.
struct FloatArray {
  std::vector<std::int64_t> shape;
  std::vector<float> data;
};

/// "1x3x224x224"
std::string ShapeText(const std::vector<std::int64_t>& shape);

/// True if `bytes` begin as NumPy's .npy files do.
bool IsNpy(std::string_view bytes);

/// Reads a .npy file (format 1 to 3) that holds little-endian float32 in C order. Throws UserError, calling the
/// file `source`, on any other type or order and on a file that is cut or too long.
FloatArray ParseNpy(std::string_view bytes, const std::string& source);

}  // namespace mobilenet_tvm
