#include "io/array.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <limits>

namespace mobilenet_tvm {
namespace {

using Kind = Dtype::Kind;

constexpr std::array<Dtype, 12> kDtypes{{
    {"bool", "|b1", Kind::kBool, 1},
    {"int8", "|i1", Kind::kInt, 1},
    {"int16", "<i2", Kind::kInt, 2},
    {"int32", "<i4", Kind::kInt, 4},
    {"int64", "<i8", Kind::kInt, 8},
    {"uint8", "|u1", Kind::kUint, 1},
    {"uint16", "<u2", Kind::kUint, 2},
    {"uint32", "<u4", Kind::kUint, 4},
    {"uint64", "<u8", Kind::kUint, 8},
    {"float16", "<f2", Kind::kFloat, 2},
    {"float32", "<f4", Kind::kFloat, 4},
    {"float64", "<f8", Kind::kFloat, 8},
}};

template <typename T>
T Read(const char* at) {
  T value{};
  std::memcpy(&value, at, sizeof(value));
  return value;
}

/// IEEE 754 binary16: a sign, 5 bits of exponent, 10 of mantissa.
double ReadHalf(const char* at) {
  constexpr int kMantissaBits = 10;
  constexpr int kImplicitBit = 1024;
  constexpr int kLargestExponent = 31;
  constexpr int kBias = 15;
  const unsigned bits = Read<std::uint16_t>(at);
  const auto exponent = static_cast<int>((bits >> 10U) & 31U);
  const auto mantissa = static_cast<int>(bits & 1023U);
  double value = std::ldexp(mantissa, 1 - kBias - kMantissaBits);
  if (exponent == kLargestExponent) {
    value = mantissa == 0 ? std::numeric_limits<double>::infinity()
                          : std::numeric_limits<double>::quiet_NaN();
  } else if (exponent != 0) {
    value = std::ldexp(mantissa + kImplicitBit, exponent - kBias - kMantissaBits);
  }
  return (bits >> 15U) != 0 ? -value : value;
}

double ReadFloat(const char* at, std::size_t bytes) {
  if (bytes == sizeof(float)) {
    return Read<float>(at);
  }
  return bytes == sizeof(double) ? Read<double>(at) : ReadHalf(at);
}

std::int64_t ReadInt(const char* at, std::size_t bytes) {
  switch (bytes) {
    case 1:
      return Read<std::int8_t>(at);
    case 2:
      return Read<std::int16_t>(at);
    case 4:
      return Read<std::int32_t>(at);
    default:
      return Read<std::int64_t>(at);
  }
}

std::uint64_t ReadUint(const char* at, std::size_t bytes) {
  switch (bytes) {
    case 1:
      return Read<std::uint8_t>(at);
    case 2:
      return Read<std::uint16_t>(at);
    case 4:
      return Read<std::uint32_t>(at);
    default:
      return Read<std::uint64_t>(at);
  }
}

template <typename Same>
const Dtype* Find(Same same) {
  const auto* const dtype = std::find_if(kDtypes.begin(), kDtypes.end(), same);
  return dtype == kDtypes.end() ? nullptr : dtype;
}

}  // namespace

const Dtype* FindDtype(std::string_view name) {
  return Find([&](const Dtype& dtype) { return dtype.name == name; });
}

const Dtype* FindDescr(std::string_view descr) {
  return Find([&](const Dtype& dtype) { return dtype.descr == descr; });
}

double Array::At(std::size_t i) const {
  const char* const at = bytes.data() + i * dtype->bytes;
  switch (dtype->kind) {
    case Kind::kFloat:
      return ReadFloat(at, dtype->bytes);
    case Kind::kInt:
      return static_cast<double>(ReadInt(at, dtype->bytes));
    default:
      return static_cast<double>(ReadUint(at, dtype->bytes));
  }
}

std::int64_t Array::IntegerAt(std::size_t i) const {
  const char* const at = bytes.data() + i * dtype->bytes;
  return dtype->kind == Kind::kInt ? ReadInt(at, dtype->bytes)
                                   : static_cast<std::int64_t>(ReadUint(at, dtype->bytes));
}

Array FloatArray(std::vector<std::int64_t> shape, const std::vector<float>& values) {
  const auto* const begin = reinterpret_cast<const char*>(values.data());
  return {FindDtype("float32"), std::move(shape), {begin, begin + values.size() * sizeof(float)}};
}

std::size_t ElementsOf(const std::vector<std::int64_t>& shape) {
  std::size_t elements = 1;
  for (const std::int64_t extent : shape) {
    elements *= static_cast<std::size_t>(extent);
  }
  return elements;
}

std::string ShapeText(const std::vector<std::int64_t>& shape) {
  std::string text;
  for (const std::int64_t extent : shape) {
    text += (text.empty() ? "" : "x") + std::to_string(extent);
  }
  return text.empty() ? "scalar" : text;
}

}  // namespace mobilenet_tvm
