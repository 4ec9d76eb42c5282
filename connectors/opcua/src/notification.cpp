#include "connectors/opcua/src/notification.hpp"

#include "connectors/opcua/src/conditions.hpp"
#include "connectors/opcua/src/definitions.hpp"
#include "connectors/opcua/src/types.hpp"

namespace tributary::connectors::opcua {
namespace {

// Something before this value was missed (OPC 10000-4, 7.39.1: info type, overflow).
constexpr std::uint32_t kOverflow = 0x00000480;

template <typename T>
const T* content(const UA_ExtensionObject& object, const UA_DataType& type) {
  const bool decoded = object.encoding >= UA_EXTENSIONOBJECT_DECODED;
  if (!decoded || object.content.decoded.type != &type) return nullptr;
  return static_cast<const T*>(object.content.decoded.data);
}

const UA_DataChangeNotification* changes_of(const UA_ExtensionObject& part) {
  return content<UA_DataChangeNotification>(part, UA_TYPES[UA_TYPES_DATACHANGENOTIFICATION]);
}

std::span<const UA_ExtensionObject> parts_of(const UA_NotificationMessage& message) {
  return {message.notificationData, message.notificationDataSize};
}

// One point may have several values: each scan holds it once, the oldest first.
std::vector<Scan> to_scans(const UA_NotificationMessage& message, const Feed& feed, State& state) {
  const UtcTime now = state.context.clock.utc_now();
  std::vector<Scan> scans;
  std::map<std::uint32_t, std::size_t> seen;
  for (const auto& part : parts_of(message)) {
    const auto* changes = changes_of(part);
    if (changes == nullptr) continue;
    for (std::size_t i = 0; i < changes->monitoredItemsSize; ++i) {
      const UA_MonitoredItemNotification& item = changes->monitoredItems[i];
      if (item.clientHandle >= feed.nodes.size()) continue;
      const std::size_t nth = seen[item.clientHandle]++;
      if (nth == scans.size()) {
        scans.emplace_back();
        scans.back().points = feed.nodes.names;
        scans.back().receive_time = now;
      }
      const NodeName& node = *feed.nodes.ids[item.clientHandle];
      Sample sample = to_sample(item.clientHandle, item.value, state.values(), "Watching", node,
                                enumeration_of(state, node));
      if (feed.gap) sample.quality = Quality(sample.quality.status_code() | kOverflow);
      scans[nth].samples.push_back(std::move(sample));
    }
  }
  return scans;
}

}  // namespace

std::size_t count_values(const UA_NotificationMessage& message) {
  std::size_t count = 0;
  for (const auto& part : parts_of(message)) {
    if (const auto* changes = changes_of(part)) count += changes->monitoredItemsSize;
    const auto* events =
        content<UA_EventNotificationList>(part, UA_TYPES[UA_TYPES_EVENTNOTIFICATIONLIST]);
    if (events != nullptr) count += events->eventsSize;
  }
  return count;
}

std::optional<UA_StatusCode> end_of(const UA_NotificationMessage& message) {
  for (const auto& part : parts_of(message)) {
    const auto* change =
        content<UA_StatusChangeNotification>(part, UA_TYPES[UA_TYPES_STATUSCHANGENOTIFICATION]);
    if (change != nullptr && !Quality(change->status).is_good()) return change->status;
  }
  return std::nullopt;
}

Task<Batch> to_batch(Shared state, std::shared_ptr<Feed> feed,
                     const UA_NotificationMessage* message) {
  if (feed->events) co_return co_await event_batch(state, feed, message);
  auto scans = to_scans(*message, *feed, *state);
  for (int round = 0; state->catalog.has_missed() && round < kMostRounds; ++round) {
    const SteadyTime deadline =
        state->context.timers.now() + std::chrono::milliseconds(state->settings.request_timeout_ms);
    const auto learned = co_await learn_missed(state, deadline);
    if (!learned || feed->closed) break;
    scans = to_scans(*message, *feed, *state);
  }
  co_return Batch::of(std::move(scans));
}

}  // namespace tributary::connectors::opcua
