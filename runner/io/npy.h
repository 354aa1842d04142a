#pragma once

#include <string>
#include <string_view>

#include "io/array.h"

namespace mobilenet_tvm {

/// True if `bytes` begin as NumPy's .npy files do.
bool IsNpy(std::string_view bytes);

/// Reads a .npy file (format 1 to 3) of any dtype that `FindDescr` knows, in C order. Throws UserError, calling the file
/// `source`, on any other type or order and on a file that is cut or too long.
Array ParseNpy(std::string_view bytes, const std::string& source);

/// The array as the content of a .npy file.
std::string FormatNpy(const Array& array);

}  // namespace mobilenet_tvm
