#include "package/sha256.h"

#include "check.h"

using mobilenet_tvm::Sha256;

namespace {

std::string Digest(const std::string& message) {
  Sha256 digest;
  digest.Update(message);
  return digest.HexDigest();
}

}  // namespace

// The examples of FIPS 180-4 (NIST's "SHA256.pdf") and its million of a.
TEST(standard_vectors) {
  CHECK_EQ(Digest(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK_EQ(Digest("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK_EQ(Digest("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
           "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  CHECK_EQ(Digest(std::string(1000000, 'a')),
           "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(pieces_make_the_whole) {
  std::string message;
  for (int i = 0; i < 300; ++i) {
    message.push_back(static_cast<char>(i * 7));
  }
  for (std::size_t piece = 1; piece < 200; piece += 3) {
    Sha256 digest;
    for (std::size_t at = 0; at < message.size(); at += piece) {
      digest.Update(std::string_view(message).substr(at, piece));
    }
    CHECK_EQ(digest.HexDigest(), Digest(message));
  }
}

TEST(file_that_is_not_there) {
  CHECK_USER_ERROR(mobilenet_tvm::Sha256OfFile("/nowhere/file", "module.so"), "module.so");
}
