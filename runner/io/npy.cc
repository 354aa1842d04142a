#include "io/npy.h"

#include <optional>

#include "error.h"

namespace mobilenet_tvm {
namespace {

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr std::size_t kMaxElements = std::size_t{1} << 30U;

void SkipSpaces(std::string_view& text) {
  while (!text.empty() && (text[0] == ' ' || text[0] == '\n' || text[0] == '\t')) {
    text.remove_prefix(1);
  }
}

bool Take(std::string_view& text, std::string_view token) {
  SkipSpaces(text);
  if (text.substr(0, token.size()) != token) {
    return false;
  }
  text.remove_prefix(token.size());
  return true;
}

std::optional<std::string> TakeQuoted(std::string_view& text) {
  SkipSpaces(text);
  if (text.empty() || (text[0] != '\'' && text[0] != '"')) {
    return std::nullopt;
  }
  const std::size_t end = text.find(text[0], 1);
  if (end == std::string_view::npos) {
    return std::nullopt;
  }
  std::string inside(text.substr(1, end - 1));
  text.remove_prefix(end + 1);
  return inside;
}

std::optional<std::int64_t> TakeCount(std::string_view& text) {
  SkipSpaces(text);
  std::int64_t value = 0;
  std::size_t digits = 0;
  while (digits < text.size() && text[digits] >= '0' && text[digits] <= '9') {
    value = value * 10 + (text[digits] - '0');
    if (++digits > 12) {
      return std::nullopt;
    }
  }
  if (digits == 0) {
    return std::nullopt;
  }
  text.remove_prefix(digits);
  return value;
}

std::optional<std::vector<std::int64_t>> TakeTuple(std::string_view& text) {
  if (!Take(text, "(")) {
    return std::nullopt;
  }
  std::vector<std::int64_t> items;
  while (!Take(text, ")")) {
    const auto item = TakeCount(text);
    if (!item) {
      return std::nullopt;
    }
    items.push_back(*item);
    if (!Take(text, ",")) {
      return Take(text, ")") ? std::optional(items) : std::nullopt;
    }
  }
  return items;
}

struct Header {
  std::string descr;
  bool fortran_order = false;
  std::vector<std::int64_t> shape;
};

// The header is a Python dict: {'descr': '<f4', 'fortran_order': False, 'shape': (1, 3, 224, 224), }
std::optional<Header> ParseHeader(std::string_view text) {
  Header header;
  unsigned seen = 0;
  if (!Take(text, "{")) {
    return std::nullopt;
  }
  while (!Take(text, "}")) {
    const auto key = TakeQuoted(text);
    if (!key || !Take(text, ":")) {
      return std::nullopt;
    }
    if (*key == "descr") {
      const auto descr = TakeQuoted(text);
      // A structured type is a list here, not a string.
      header.descr = descr.value_or("a structure");
      if (!descr) {
        return header;
      }
      seen |= 1U;
    } else if (*key == "fortran_order") {
      header.fortran_order = Take(text, "True");
      if (!header.fortran_order && !Take(text, "False")) {
        return std::nullopt;
      }
      seen |= 2U;
    } else if (*key == "shape") {
      auto shape = TakeTuple(text);
      if (!shape) {
        return std::nullopt;
      }
      header.shape = *std::move(shape);
      seen |= 4U;
    } else {
      return std::nullopt;
    }
    Take(text, ",");
  }
  return seen == 7U ? std::optional(header) : std::nullopt;
}

}  // namespace

bool IsNpy(std::string_view bytes) { return bytes.substr(0, kMagic.size()) == kMagic; }

Array ParseNpy(std::string_view bytes, const std::string& source) {
  const auto byte = [&](std::size_t i) {
    return static_cast<std::size_t>(static_cast<unsigned char>(bytes[i]));
  };
  const auto broken = [&] { return UserError(source + ": is a broken .npy file"); };
  if (!IsNpy(bytes) || bytes.size() < 12) {
    throw broken();
  }
  const std::size_t version = byte(6);
  if (version < 1 || version > 3) {
    throw UserError(source + ": is a .npy file of the unknown format " + std::to_string(version));
  }
  const std::size_t prefix = version == 1 ? 10 : 12;
  std::size_t length = byte(8) | (byte(9) << 8U);
  if (version > 1) {
    length |= (byte(10) << 16U) | (byte(11) << 24U);
  }
  if (length > bytes.size() - prefix) {
    throw broken();
  }
  auto header = ParseHeader(bytes.substr(prefix, length));
  if (!header) {
    throw broken();
  }
  const Dtype* const dtype = FindDescr(header->descr);
  if (dtype == nullptr) {
    throw UserError(source + ": holds " + header->descr +
                    ", which is no little-endian number of 8 to 64 bits, nor bool");
  }
  if (header->fortran_order) {
    throw UserError(source + ": is in Fortran order: save numpy.ascontiguousarray(...) of it");
  }
  std::size_t elements = 1;
  for (const std::int64_t extent : header->shape) {
    const auto factor = static_cast<std::size_t>(extent);
    if (factor != 0 && elements > kMaxElements / factor) {
      throw UserError(source + ": its shape " + ShapeText(header->shape) + " is too large");
    }
    elements *= factor;
  }
  const std::string_view body = bytes.substr(prefix + length);
  if (body.size() != elements * dtype->bytes) {
    throw UserError(source + ": holds " + std::to_string(body.size()) +
                    " bytes of data, its shape " + ShapeText(header->shape) + " needs " +
                    std::to_string(elements * dtype->bytes));
  }
  return {dtype, std::move(header->shape), {body.begin(), body.end()}};
}

std::string FormatNpy(const Array& array) {
  constexpr std::size_t kAlignment = 64;  // of the data, as NumPy writes it
  constexpr std::size_t kPrefix = 10;
  std::string shape;
  for (const std::int64_t extent : array.shape) {
    shape += std::to_string(extent) + ", ";
  }
  std::string header = "{'descr': '" + std::string(array.dtype->descr) +
                       "', 'fortran_order': False, 'shape': (" + shape + "), }";
  const std::size_t unpadded = kPrefix + header.size() + 1;
  header.append((kAlignment - unpadded % kAlignment) % kAlignment, ' ');
  header += '\n';
  std::string bytes(kMagic);
  bytes += {'\x01', '\x00', static_cast<char>(header.size() & 0xffU),
            static_cast<char>(header.size() >> 8U)};
  return bytes.append(header).append(array.bytes.data(), array.bytes.size());
}

}  // namespace mobilenet_tvm
