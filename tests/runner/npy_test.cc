#include "io/npy.h"

#include <cmath>
#include <cstring>

#include "check.h"
#include "io/base64.h"
#include "io/npz.h"

using mobilenet_tvm::FormatNpy;
using mobilenet_tvm::ListNpz;
using mobilenet_tvm::ParseNpy;

namespace {

std::string Number(std::size_t value, int bytes) {
  std::string text;
  for (int i = 0; i < bytes; ++i, value >>= 8U) {
    text.push_back(static_cast<char>(value & 0xffU));
  }
  return text;
}

std::string Npy(const std::string& header, std::size_t floats, int version = 1) {
  std::string bytes = "\x93NUMPY";
  bytes += static_cast<char>(version);
  bytes += '\0';
  bytes += Number(header.size(), version == 1 ? 2 : 4) + header;
  for (std::size_t i = 0; i < floats; ++i) {
    const auto value = static_cast<float>(i) + 0.5F;
    bytes.append(reinterpret_cast<const char*>(&value), sizeof(value));
  }
  return bytes;
}

std::string Header(const std::string& descr, const std::string& order, const std::string& shape) {
  return "{'descr': '" + descr + "', 'fortran_order': " + order + ", 'shape': " + shape +
         ", }   \n";
}

const std::string kGood = Header("<f4", "False", "(2, 3)");

// A zip of one stored member, as the standard has it.
std::string Zip(const std::string& name, const std::string& content, int method = 0) {
  const std::string sizes = Number(content.size(), 4) + Number(content.size(), 4);
  const std::string local = Number(0x04034b50, 4) + Number(20, 2) + Number(0, 2) +
                            Number(static_cast<std::size_t>(method), 2) + Number(0, 8) + sizes +
                            Number(name.size(), 2) + Number(0, 2) + name + content;
  const std::string entry = Number(0x02014b50, 4) + Number(20, 2) + Number(20, 2) + Number(0, 2) +
                            Number(static_cast<std::size_t>(method), 2) + Number(0, 8) + sizes +
                            Number(name.size(), 2) + Number(0, 2) + Number(0, 2) + Number(0, 2) +
                            Number(0, 2) + Number(0, 4) + Number(0, 4) + name;
  return local + entry + Number(0x06054b50, 4) + Number(0, 4) + Number(1, 2) + Number(1, 2) +
         Number(entry.size(), 4) + Number(local.size(), 4) + Number(0, 2);
}

}  // namespace

TEST(reads_all_formats) {
  for (const int version : {1, 2, 3}) {
    const auto array = ParseNpy(Npy(kGood, 6, version), "a.npy");
    CHECK_EQ(mobilenet_tvm::ShapeText(array.shape), "2x3");
    CHECK_EQ(array.Size(), 6U);
    CHECK_EQ(array.At(5), 5.5);
  }
  CHECK_EQ(ParseNpy(Npy(Header("<f4", "False", "()"), 1), "a").shape.size(), 0U);
  CHECK_EQ(ParseNpy(Npy(Header("<f4", "False", "(4,)"), 4), "a").shape[0], 4);
  CHECK_EQ(ParseNpy(Npy(Header("<f4", "False", "(0, 3)"), 0), "a").Size(), 0U);
}

TEST(reads_all_dtypes) {
  const auto read = [](const std::string& descr, const std::string& bytes) {
    return ParseNpy(Npy(Header(descr, "False", "()"), 0) + bytes, "a");
  };
  CHECK_EQ(read("|b1", std::string(1, '\x01')).At(0), 1.0);
  CHECK_EQ(read("|i1", std::string(1, '\xfe')).IntegerAt(0), -2);
  CHECK_EQ(read("|u1", std::string(1, '\xfe')).IntegerAt(0), 254);
  CHECK_EQ(read("<i2", Number(0xfffe, 2)).At(0), -2.0);
  CHECK_EQ(read("<u2", Number(0xfffe, 2)).At(0), 65534.0);
  CHECK_EQ(read("<i4", Number(0xfffffffe, 4)).At(0), -2.0);
  CHECK_EQ(read("<u4", Number(0xfffffffe, 4)).At(0), 4294967294.0);
  CHECK_EQ(read("<i8", Number(std::size_t{0} - 2, 8)).IntegerAt(0), -2);
  CHECK_EQ(read("<u8", Number(7, 8)).IntegerAt(0), 7);
  CHECK_EQ(read("<f8", Number(0x3ff8000000000000, 8)).At(0), 1.5);
}

TEST(reads_halves) {
  const auto half = [](std::size_t bits) {
    return ParseNpy(Npy(Header("<f2", "False", "()"), 0) + Number(bits, 2), "a").At(0);
  };
  CHECK_EQ(half(0x3e00), 1.5);
  CHECK_EQ(half(0xc000), -2.0);
  CHECK_EQ(half(0x7bff), 65504.0);
  CHECK_EQ(half(0x0001), 0x1p-24);
  CHECK_EQ(half(0x8000), 0.0);
  CHECK(std::isinf(half(0xfc00)) && half(0xfc00) < 0);
  CHECK(std::isnan(half(0x7e00)));
}

TEST(writes_what_it_reads) {
  for (const char* shape : {"()", "(6,)", "(2, 3)", "(2, 0)"}) {
    const std::string text = shape;
    const std::size_t floats = text == "()" ? 1 : text == "(2, 0)" ? 0 : 6;
    const auto array = ParseNpy(Npy(Header("<f4", "False", text), floats), "a");
    const std::string written = FormatNpy(array);
    CHECK_EQ((written.size() - array.bytes.size()) % 64, 0U);
    const auto again = ParseNpy(written, "again");
    CHECK_EQ(mobilenet_tvm::ShapeText(again.shape), mobilenet_tvm::ShapeText(array.shape));
    CHECK(again.dtype == array.dtype && again.bytes == array.bytes);
  }
}

TEST(base64_of_every_remainder) {
  CHECK_EQ(mobilenet_tvm::Base64({}), "");
  CHECK_EQ(mobilenet_tvm::Base64({'M'}), "TQ==");
  CHECK_EQ(mobilenet_tvm::Base64({'M', 'a'}), "TWE=");
  CHECK_EQ(mobilenet_tvm::Base64({'M', 'a', 'n'}), "TWFu");
  CHECK_EQ(mobilenet_tvm::Base64({'\xff', '\xfe', '\xfd', '\x00'}), "//79AA==");
}

TEST(refuses_other_arrays) {
  CHECK_USER_ERROR(ParseNpy(Npy(Header("<c8", "False", "(6,)"), 12), "a.npy"), "a.npy: holds <c8");
  CHECK_USER_ERROR(ParseNpy(Npy(Header(">f4", "False", "(6,)"), 6), "a"), "holds >f4");
  CHECK_USER_ERROR(ParseNpy(Npy(Header("<f4", "True", "(2, 3)"), 6), "a"), "Fortran");
  CHECK_USER_ERROR(ParseNpy(Npy("{'descr': [('x', '<f4')], }", 6), "a"), "a structure");
  CHECK_USER_ERROR(ParseNpy(Npy(Header("<f4", "False", "(7,)"), 6), "a"), "needs 28");
  CHECK_USER_ERROR(ParseNpy(Npy(Header("<f4", "False", "(5,)"), 6), "a"), "needs 20");
  CHECK_USER_ERROR(ParseNpy(Npy(Header("<f4", "False", "(999999, 999999, 999999)"), 6), "a"),
                   "too large");
  CHECK_USER_ERROR(ParseNpy(Npy(Header("<f4", "False", "(99999999999999999999,)"), 6), "a"),
                   "broken");
  CHECK_USER_ERROR(ParseNpy(Npy(kGood, 6, 9), "a"), "unknown format 9");
  CHECK_USER_ERROR(ParseNpy(Npy("{'shape': (6,)}", 6), "a"), "broken");
}

TEST(every_cut_is_noticed) {
  const std::string whole = Npy(kGood, 6);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    CHECK_USER_ERROR(ParseNpy(whole.substr(0, size), "cut.npy"), "cut.npy: ");
  }
  const std::string zip = Zip("x0.npy", whole);
  for (std::size_t size = 0; size < zip.size(); ++size) {
    CHECK_USER_ERROR(ListNpz(zip.substr(0, size), "cut.npz"), "cut.npz: ");
  }
}

TEST(no_change_of_a_byte_reads_outside) {
  const std::string zip = Zip("x0.npy", Npy(kGood, 6));
  for (std::size_t at = 0; at < zip.size(); ++at) {
    for (const char value : {'\x00', '\x7f', '\xff'}) {
      std::string changed = zip;
      changed[at] = value;
      try {
        for (const auto& [name, bytes] : ListNpz(changed, "changed")) {
          ParseNpy(bytes, name);
        }
      } catch (const mobilenet_tvm::UserError&) {
        // Said so; what matters is that nothing else happens.
      }
    }
  }
}

TEST(lists_members) {
  const std::string zip = Zip("x0.npy", Npy(kGood, 6));
  const auto members = ListNpz(zip, "r.npz");
  CHECK_EQ(members.size(), 1U);
  CHECK_EQ(ParseNpy(members.at("x0.npy"), "x0").At(0), 0.5);
  CHECK_USER_ERROR(ListNpz(Zip("x0.npy", "abc", 8), "r.npz"), "compressed");
}
