#include "serve/tracker.h"

#include <algorithm>
#include <random>
#include <utility>

#include "error.h"
#include "io/json.h"
#include "io/json_writer.h"

namespace mobilenet_tvm {
namespace {

constexpr std::int32_t kTrackerMagic = 0x2F271;
// A live tracker answers at once.
constexpr int kAnswerSeconds = 20;

// Numbers of tvm/rpc/base.py.
constexpr int kSuccess = 0;
constexpr int kPut = 3;
constexpr int kUpdateInfo = 5;
constexpr int kPendingMatchKeys = 7;

// Hard to guess: whoever knows it may run code on this board.
std::string RandomWord(const std::string& key) {
  std::random_device random;
  return key + ":" + std::to_string(random()) + std::to_string(random()) + std::to_string(random());
}

}  // namespace

Tracker::Tracker(const Address& address, std::string key, int port)
    : socket_(Socket::Connect(address)), key_(std::move(key)), port_(port) {
  socket_.SetTimeout(kAnswerSeconds);
  socket_.WriteInt(kTrackerMagic);
  if (socket_.ReadInt() != kTrackerMagic) {
    throw SystemError(address.Text() + " is no tracker of TVM's RPC");
  }
  JsonWriter json;
  json.BeginArray().Integer(kUpdateInfo).BeginObject();
  json.Key("key").String("server:" + key_);
  json.Key("addr").BeginArray().Null().Integer(port_).EndArray();
  Tell(json.EndObject().EndArray().Text());
}

std::string Tracker::Offer() const {
  std::string word = RandomWord(key_);
  JsonWriter json;
  json.BeginArray().Integer(kPut).String(key_);
  json.BeginArray().Integer(port_).String(word).EndArray();
  Tell(json.Null().EndArray().Text());
  return word;
}

bool Tracker::IsOffered(const std::string& word) const {
  JsonWriter json;
  socket_.WriteText(json.BeginArray().Integer(kPendingMatchKeys).EndArray().Text());
  const auto known = Json::Parse(socket_.ReadText(), "the tracker").Strings();
  return std::find(known.begin(), known.end(), word) != known.end();
}

void Tracker::Tell(const std::string& message) const {
  socket_.WriteText(message);
  const Json answer = Json::Parse(socket_.ReadText(), "the tracker");
  if (answer.Integer(-1, 1) != kSuccess) {
    throw SystemError("the tracker refuses this board");
  }
}

}  // namespace mobilenet_tvm
