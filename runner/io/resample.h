#pragma once

#include "io/image.h"

namespace mobilenet_tvm {

/// A rectangle of an image in pixels.
struct Window {
  int left;
  int top;
  int width;
  int height;
};

/// Resizes to `width` x `height` with an antialiased triangle filter and returns the part inside `window`.
///
/// The same bits as Pillow's Image.resize(..., BILINEAR) on 8-bit RGB, one call for the width, then one for the height:
/// weights in 22-bit fixed point, first along rows, rounded to 8 bits, then along columns. Only what the window needs
/// is computed.
Image ResizeBilinear(const Image& image, int width, int height, const Window& window);

}  // namespace mobilenet_tvm
