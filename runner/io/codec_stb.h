#pragma once

#include <string>
#include <string_view>

#include "io/image.h"

namespace mobilenet_tvm {

/// Decodes PNG or JPEG with stb_image. Throws UserError, calling the file `source`.
Image DecodeWithStb(std::string_view bytes, const std::string& source);

}  // namespace mobilenet_tvm
