// What the coroutines of one OPC UA session share. Lives on one executor.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "connectors/opcua/settings.hpp"
#include "connectors/opcua/src/client.hpp"
#include "connectors/opcua/src/keepsake.hpp"
#include "connectors/opcua/src/node_id.hpp"
#include "connectors/opcua/src/operation.hpp"
#include "connectors/opcua/src/values.hpp"
#include "sdk/connector.hpp"

namespace tributary::connectors::opcua {

class Publisher;

// Nodes that one request may name (OPC 10000-5, 6.3.11).
struct Limits {
  std::size_t read = kMostPerRequest;
  std::size_t write = kMostPerRequest;
  std::size_t browse = kMostPerRequest;
  std::size_t items = kMostPerRequest;
  std::size_t history = kMostPerRequest;
};

// What a session is made of, beside its settings.
struct Material {
  std::optional<Keys> application;
  Login login;
  std::vector<std::string> trusted;  // PEM
};

// One argument of a method.
struct Argument {
  std::string name;
  TargetType target;
};
struct Method {
  std::vector<Argument> inputs;
  std::vector<Argument> outputs;
};

struct State {
  State(const sdk::SessionContext& context_, ConnectionSettings settings_, Material material_,
        net::Keepalive keepalive_)
      : context(context_),
        settings(std::move(settings_)),
        material(std::move(material_)),
        keepalive(keepalive_) {}

  sdk::SessionContext context;
  const ConnectionSettings settings;
  const Material material;
  const net::Keepalive keepalive;

  std::shared_ptr<net::DialCancel> dialling = std::make_shared<net::DialCancel>();
  Client::Self discovery;  // while endpoints are asked for
  Client::Self client;     // null until it greets the server
  std::shared_ptr<Publisher> publisher;
  std::shared_ptr<Keepsakes> keepsakes;  // null: nothing outlives this session
  std::string connection_id;             // empty: likewise
  Keepsake kept;  // of the session before this one: what nobody has taken over yet
  SteadyTime opened{};
  std::vector<Record> endpoints;  // that the server offered, as describe_endpoints() says
  Namespaces namespaces;
  TypeCatalog catalog;
  std::shared_ptr<const EventTypes> event_types;  // null: nobody has asked
  Limits limits;
  std::map<std::string, TargetType> types;  // of nodes, by their ids
  std::map<std::string, Method> methods;    // by their ids
  std::optional<Duration> clock_ahead;      // of the server's clock before ours
  bool open = false;
  bool ended = false;

  ValueContext values() {
    return {namespaces, catalog, static_cast<EnumerationForm>(settings.enumerations)};
  }
};
using Shared = std::shared_ptr<State>;

// At most `limit` of what is left from `begin` on.
inline std::size_t part_of(std::size_t count, std::size_t begin, std::size_t limit) {
  return std::min(limit, count - begin);
}

}  // namespace tributary::connectors::opcua
