#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace mobilenet_tvm {

/// What an array's elements are.
struct Dtype {
  enum class Kind : std::uint8_t { kBool, kInt, kUint, kFloat };

  std::string_view name;   ///< "float32", as manifests spell it
  std::string_view descr;  ///< "<f4", as .npy files do
  Kind kind;
  std::size_t bytes;

  bool IsFloat() const { return kind == Kind::kFloat; }
};

/// The dtype of that name ("float32"), or null where it is none that this program knows.
const Dtype* FindDtype(std::string_view name);

/// The dtype that a .npy file calls so ("<f4"), or null.
const Dtype* FindDescr(std::string_view descr);

/// A dense array in C order.
struct Array {
  const Dtype* dtype = nullptr;
  std::vector<std::int64_t> shape;
  std::vector<char> bytes;  ///< little-endian

  std::size_t Size() const { return bytes.size() / dtype->bytes; }

  /// Element `i` in C order; an integer of more than 53 bits is rounded.
  double At(std::size_t i) const;

  /// Element `i` of integers or booleans; of uint64's largest the two's complement.
  std::int64_t IntegerAt(std::size_t i) const;
};

/// A float32 array of these values.
Array FloatArray(std::vector<std::int64_t> shape, const std::vector<float>& values);

/// The elements of a shape.
std::size_t ElementsOf(const std::vector<std::int64_t>& shape);

/// "1x3x224x224"
std::string ShapeText(const std::vector<std::int64_t>& shape);

}  // namespace mobilenet_tvm
