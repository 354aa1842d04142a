#include "io/npz.h"

#include <algorithm>
#include <cstdint>

#include "error.h"

namespace mobilenet_tvm {
namespace {

// Signatures and record sizes of PKWARE's APPNOTE, 4.3.
constexpr std::uint32_t kEndOfDirectory = 0x06054b50;
constexpr std::uint32_t kDirectoryEntry = 0x02014b50;
constexpr std::uint32_t kLocalHeader = 0x04034b50;
constexpr std::size_t kEndBytes = 22;
constexpr std::size_t kEntryBytes = 46;
constexpr std::size_t kLocalBytes = 30;
constexpr std::size_t kMaxComment = 0xffff;

class ZipReader {
 public:
  ZipReader(std::string_view bytes, const std::string& source) : bytes_(bytes), source_(source) {}

  std::map<std::string, std::string_view> Members() const {
    const std::size_t end = FindEnd();
    const std::size_t count = Read(end + 10, 2);
    std::size_t at = Read(end + 16, 4);
    std::map<std::string, std::string_view> members;
    for (std::size_t i = 0; i < count; ++i) {
      if (Read(at, 4) != kDirectoryEntry) {
        Broken();
      }
      const std::size_t method = Read(at + 10, 2);
      const std::size_t packed = Read(at + 20, 4);
      const std::size_t size = Read(at + 24, 4);
      const std::size_t name_bytes = Read(at + 28, 2);
      const std::size_t local = Read(at + 42, 4);
      const std::string name(Slice(at + kEntryBytes, name_bytes));
      if (method != 0) {
        throw UserError(source_ + ": its member " + name +
                        " is compressed: write it with numpy.savez");
      }
      if (packed != size) {
        Broken();
      }
      members[name] = Data(local, size);
      at += kEntryBytes + name_bytes + Read(at + 30, 2) + Read(at + 32, 2);
    }
    return members;
  }

 private:
  [[noreturn]] void Broken() const { throw UserError(source_ + ": is cut or not a .npz file"); }

  std::string_view Slice(std::size_t at, std::size_t size) const {
    if (at > bytes_.size() || size > bytes_.size() - at) {
      Broken();
    }
    return bytes_.substr(at, size);
  }

  std::size_t Read(std::size_t at, std::size_t size) const {
    const std::string_view field = Slice(at, size);
    std::size_t value = 0;
    for (std::size_t i = size; i > 0; --i) {
      value = (value << 8U) | static_cast<unsigned char>(field[i - 1]);
    }
    return value;
  }

  // The end record is the last thing in the file but for a comment.
  std::size_t FindEnd() const {
    if (bytes_.size() >= kEndBytes) {
      const std::size_t last = bytes_.size() - kEndBytes;
      for (std::size_t back = 0; back <= std::min(last, kMaxComment); ++back) {
        if (Read(last - back, 4) == kEndOfDirectory) {
          return last - back;
        }
      }
    }
    Broken();
  }

  std::string_view Data(std::size_t local, std::size_t size) const {
    if (Read(local, 4) != kLocalHeader) {
      Broken();
    }
    const std::size_t skip = kLocalBytes + Read(local + 26, 2) + Read(local + 28, 2);
    return Slice(local + skip, size);
  }

  std::string_view bytes_;
  const std::string& source_;
};

}  // namespace

std::map<std::string, std::string_view> ListNpz(std::string_view bytes, const std::string& source) {
  return ZipReader(bytes, source).Members();
}

}  // namespace mobilenet_tvm
