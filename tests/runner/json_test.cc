#include "io/json.h"

#include "check.h"
#include "io/json_writer.h"

using mobilenet_tvm::Json;
using mobilenet_tvm::JsonWriter;
using mobilenet_tvm::QuoteJson;

TEST(reads_values) {
  const Json root = Json::Parse(R"({"a": [1, 2.5, "x\u00e9", null, true], "n": null})", "m.json");
  const auto& items = root.At("a").Array();
  CHECK_EQ(items[0].Integer(0, 9), 1);
  CHECK_EQ(items[0].Number(), 1.0);
  CHECK_EQ(items[1].Number(), 2.5);
  CHECK_EQ(items[2].String(), "x\xC3\xA9");
  CHECK(items[3].IsNull());
  CHECK(root.Find("n") == nullptr);
  CHECK(root.Find("missing") == nullptr);
}

TEST(names_the_place) {
  const Json root = Json::Parse(R"({"t": {"list": [1, "x"]}, "f": 1.5})", "m.json");
  CHECK_USER_ERROR(root.At("x"), "m.json: has no \"x\"");
  CHECK_USER_ERROR(root.At("t").At("arch"), "m.json: t has no \"arch\"");
  CHECK_USER_ERROR(root.At("t").At("list").Array()[1].Integer(0, 5),
                   "m.json: t.list[1] is not a whole");
  CHECK_USER_ERROR(root.At("t").At("list").Strings(), "m.json: t.list[0] is not a string");
  CHECK_USER_ERROR(root.At("t").Array(), "is not a list");
  CHECK_USER_ERROR(root.At("f").Integer(0, 5), "is not a whole number from 0 to 5");
  CHECK_USER_ERROR(root.At("f").Object(), "is not an object");
}

TEST(refuses_what_is_not_json) {
  for (const char* text :
       {"", "{", "{\"a\": }", "[1, 2", "nonsense", "{\"a\": 1} x", "\"\\u12\""}) {
    CHECK_USER_ERROR(Json::Parse(text, "m.json"), "m.json: is not JSON");
  }
  CHECK_USER_ERROR(Json::Parse(std::string(100000, '['), "m.json"), "levels deep");
}

TEST(escapes) {
  CHECK_EQ(QuoteJson("a\"b\\c\n\t\r\x01"), R"("a\"b\\c\n\t\r\u0001")");
  CHECK_EQ(QuoteJson("caf\xC3\xA9 \xF0\x9F\x90\x88"), "\"caf\xC3\xA9 \xF0\x9F\x90\x88\"");
  // Latin-1, a cut sequence, an overlong one, a surrogate.
  CHECK_EQ(QuoteJson("\xE9x"), "\"\xEF\xBF\xBDx\"");
  CHECK_EQ(QuoteJson("\xF0\x9F"), "\"\xEF\xBF\xBD\xEF\xBF\xBD\"");
  CHECK_EQ(QuoteJson("\xC0\xAF"), "\"\xEF\xBF\xBD\xEF\xBF\xBD\"");
  CHECK_EQ(QuoteJson("\xED\xA0\x80"), "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\"");
}

TEST(writes) {
  JsonWriter json;
  json.BeginObject().Key("a").BeginArray().Integer(1).Number(0.5).Bool(true).EndArray();
  json.Key("b").BeginObject().EndObject().Key("c").Number(1.0 / 0.0).EndObject();
  CHECK_EQ(json.Text(), R"({"a": [1, 0.5, true], "b": {}, "c": null})");
}
