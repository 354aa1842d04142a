#include "io/image.h"

#include "check.h"

using mobilenet_tvm::DecodeImage;

TEST(reads_ppm) {
  const auto image = DecodeImage("P6\n# made by hand\n2 1 # size\n255\nabcdef", "a.ppm");
  CHECK_EQ(image.width, 2);
  CHECK_EQ(image.height, 1);
  CHECK_EQ(std::string(image.rgb.begin(), image.rgb.end()), "abcdef");
  // A space after the header may be followed by pixels that look like spaces or comments.
  CHECK_EQ(DecodeImage("P6 1 1 255 # \n", "a").rgb[0], '#');
}

TEST(refuses_broken_ppm) {
  CHECK_USER_ERROR(DecodeImage("P6\n2 1\n255\nabcde", "a.ppm"),
                   "a.ppm: does not decode: it is cut");
  CHECK_USER_ERROR(DecodeImage("P6\n2 1\n65535\nabcdefabcdef", "a"), "65535");
  CHECK_USER_ERROR(DecodeImage("P6\n0 1\n255\n", "a"), "empty");
  CHECK_USER_ERROR(DecodeImage("P6\n2\n", "a"), "header");
  CHECK_USER_ERROR(DecodeImage("P6", "a"), "header");
  CHECK_USER_ERROR(DecodeImage("P6\n-2 1\n255\nabcdef", "a"), "header");
  CHECK_USER_ERROR(DecodeImage("P6\n999999999999 1\n255\nabcdef", "a"), "header");
  CHECK_USER_ERROR(DecodeImage("P6\n900000000 900000000\n255\nabcdef", "a"), "pixels");
}

TEST(refuses_what_is_no_image) {
  CHECK_USER_ERROR(DecodeImage("", "empty.png"), "empty.png: does not decode");
  CHECK_USER_ERROR(DecodeImage("GIF89a", "a.gif"), "it is not one of");
  CHECK_USER_ERROR(DecodeImage("\x89PNG\r\n\x1a\n", "a.png"), "a.png: ");
  CHECK_USER_ERROR(DecodeImage("\xFF\xD8\xFF", "a.jpg"), "a.jpg: ");
}
