// The functions of this connector, checked and ready.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "connectors/opcua/settings.hpp"
#include "connectors/opcua/src/condition_methods.hpp"
#include "connectors/opcua/src/events.hpp"
#include "connectors/opcua/src/node_id.hpp"
#include "connectors/opcua/src/ua.hpp"
#include "sdk/connector.hpp"

namespace tributary::connectors::opcua {

// The nodes of a function, by the index of their point.
struct Nodes {
  std::shared_ptr<const PointNames> names;
  std::vector<SharedNodeName> ids;
  std::size_t size() const { return ids.size(); }
};

// What one request holds when the server does not want less.
inline constexpr std::size_t kMostPerRequest = 1000;

class ReadOperation final : public sdk::Operation {
 public:
  ReadOperation(Nodes nodes_, std::int64_t max_age_ms_)
      : nodes(std::move(nodes_)), max_age_ms(max_age_ms_) {}
  std::shared_ptr<const PointNames> points() const override { return nodes.names; }
  std::size_t round_trips() const override { return 1 + nodes.size() / kMostPerRequest; }
  const Nodes nodes;
  const std::int64_t max_age_ms;
};

class WriteOperation final : public sdk::Operation {
 public:
  WriteOperation(Nodes nodes_, WriteSettings settings_)
      : nodes(std::move(nodes_)), settings(std::move(settings_)) {}
  std::shared_ptr<const PointNames> points() const override { return nodes.names; }
  // What the server wants at a node is asked for once.
  std::size_t round_trips() const override { return 4; }
  const Nodes nodes;
  const WriteSettings settings;
};

class BrowseOperation final : public sdk::Operation {
 public:
  BrowseOperation(SharedNodeName start_, BrowseSettings settings_)
      : start(std::move(start_)), settings(std::move(settings_)) {}
  std::size_t round_trips() const override {
    return 2 + 2 * static_cast<std::size_t>(settings.max_nodes) / kMostPerRequest +
           static_cast<std::size_t>(settings.depth);
  }
  const SharedNodeName start;
  const BrowseSettings settings;
};

class CallOperation final : public sdk::Operation {
 public:
  CallOperation(SharedNodeName object_, SharedNodeName method_, Json arguments_)
      : object(std::move(object_)), method(std::move(method_)), arguments(std::move(arguments_)) {}
  // What the method wants is asked for once.
  std::size_t round_trips() const override { return 5; }
  const SharedNodeName object;
  const SharedNodeName method;
  const Json arguments;
};

// Values of one node in one answer, and nodes in one request: a server has few places for readers
// that go on later.
inline constexpr std::size_t kHistoryPage = 1000;
inline constexpr std::size_t kHistoryNodes = 10;

class HistoryOperation final : public sdk::Operation {
 public:
  HistoryOperation(Nodes nodes_, HistorySettings settings_, std::vector<UA_DateTime> times_)
      : nodes(std::move(nodes_)), settings(std::move(settings_)), times(std::move(times_)) {}
  std::size_t round_trips() const override {
    return 1 + nodes.size() * (1 + static_cast<std::size_t>(settings.max_values) / kHistoryPage);
  }
  const Nodes nodes;
  const HistorySettings settings;
  const std::vector<UA_DateTime> times;
};

class SubscribeOperation final : public sdk::Operation {
 public:
  SubscribeOperation(Nodes nodes_, SubscribeSettings settings_)
      : nodes(std::move(nodes_)), settings(std::move(settings_)) {}
  std::shared_ptr<const PointNames> points() const override { return nodes.names; }
  std::size_t round_trips() const override { return 2 + nodes.size() / kMostPerRequest; }
  const Nodes nodes;
  const SubscribeSettings settings;
};

class EventsOperation final : public sdk::Operation {
 public:
  EventsOperation(EventSelection selection_, Nodes notifier_, SubscribeSettings rhythm_)
      : selection(std::move(selection_)),
        notifier(std::move(notifier_)),
        rhythm(std::move(rhythm_)) {}
  // What the server's types of events are is asked once.
  std::size_t round_trips() const override { return 20; }
  const EventSelection selection;
  const Nodes notifier;  // one
  const SubscribeSettings rhythm;
};

// What the methods of conditions take (OPC 10000-9); only what the method wants is given.
struct ConditionArguments {
  std::string event_id;  // as a ByteString
  std::string comment;
  double shelving_time_ms = 0;
  std::int32_t response = 0;
};

// Calls a method of a condition.
class ConditionOperation final : public sdk::Operation {
 public:
  ConditionOperation(const ConditionMethod& method_, SharedNodeName condition_,
                     ConditionArguments arguments_)
      : method(method_), condition(std::move(condition_)), arguments(std::move(arguments_)) {}
  // Where a condition's shelving is, is asked first.
  std::size_t round_trips() const override { return 2; }
  const ConditionMethod& method;
  const SharedNodeName condition;
  const ConditionArguments arguments;
};

// What the server offered when the session was opened.
class EndpointsOperation final : public sdk::Operation {};

// As Connector::prepare.
Result<std::shared_ptr<const sdk::Operation>> prepare_operation(const sdk::FunctionSpec& function);

}  // namespace tributary::connectors::opcua
