// Bytes from whoever answers at the broker's address. Whatever they are: a packet, a fault or "more
// must come"; never a byte beyond the end; the same in one piece and in two; and a client that has
// taken them is still good for what comes.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "connectors/mqtt/src/client.hpp"

namespace {

using namespace tributary;
using namespace tributary::connectors::mqtt;

void require(bool condition) {
  if (!condition) std::abort();
}

class Listener final : public ClientEvents {
 public:
  void on_connack(const Connack&) override { ++told; }
  void on_published(int, int) override { ++told; }
  void on_subscribed(int, std::vector<int> codes) override { told += 1 + codes.size(); }
  void on_unsubscribed(int) override { ++told; }
  void on_message(Message message) override {
    require(is_mqtt_text(message.topic) && !message.topic.empty());
    require((message.qos == 0) == (message.delivery == nullptr));
    told += 1 + message.payload.size() + message.refused_bytes.value_or(0);
  }
  std::size_t told = 0;
};

struct Outcome {
  std::size_t told = 0;
  std::size_t used = 0;
  bool fault = false;
  bool operator==(const Outcome&) const = default;
};

// Feeds a client in pieces of `piece` bytes, as the wire does.
Outcome feed(Version version, std::string_view bytes, std::size_t piece) {
  Listener listener;
  ClientOptions options;
  options.settings.version = version;
  options.settings.max_message_bytes = 1024;
  options.client_id = "fuzz";
  const auto client = std::move(*Client::create(options, listener));
  client->wrote(client->to_write().size());
  client->subscribe("a", 1, 1);
  for (const std::int64_t qos : {1, 2}) {
    PublishSettings settings;
    settings.qos = qos;
    client->publish({"a", "b"}, settings);
  }
  Outcome outcome;
  std::size_t there = 0;
  while (there < bytes.size() && !outcome.fault) {
    there = std::min(bytes.size(), there + piece);
    while (outcome.used < there) {
      const auto taken = client->take(bytes.substr(outcome.used, there - outcome.used));
      outcome.fault = !taken.has_value();
      if (outcome.fault || *taken == 0) break;
      require(*taken <= there - outcome.used);
      outcome.used += *taken;
    }
  }
  outcome.told = listener.told;
  client->settle();
  require(client->unacknowledged() == 0);
  return outcome;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const auto version = static_cast<Version>(data[0] % 3);
  const std::string_view bytes(reinterpret_cast<const char*>(data + 1), size - 1);
  const Outcome whole = feed(version, bytes, std::max<std::size_t>(bytes.size(), 1));
  const Outcome sliced = feed(version, bytes, 1);
  // A fault is seen as early as it can be, which is before the bytes behind it.
  require(whole.fault == sliced.fault && whole.told == sliced.told && whole.used == sliced.used);
  return 0;
}
