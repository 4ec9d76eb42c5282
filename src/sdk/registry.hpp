// The connectors of this build: found by folder, described by their files.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "schema/schema.hpp"
#include "sdk/connector.hpp"

namespace tributary::sdk {

// The files of a connector's folder, embedded at build time (generated resources.cpp).
struct Resources {
  std::string_view manifest;           // connector.json
  std::string_view connection_schema;  // connection.schema.json
  std::vector<std::string_view> function_schemas;
  std::string_view guide;              // guide.md
};

enum class FunctionKind : std::uint8_t { kRead, kWrite, kSubscribe, kBrowse, kCommand };
std::string_view to_string(FunctionKind kind);

struct FunctionType {
  std::string type;   // "modbus.read"
  std::string title;
  std::string summary;
  FunctionKind kind = FunctionKind::kRead;
  // A subscribe function that the framework polls: its operation is called on a fixed grid of settings.intervalMs, and
  // settings.reportOn ("change" | "always") and settings.deadband decide what is passed on.
  bool polled = false;
  // Doing it twice is as good as once ("x-idempotent": true): a call whose outcome is unknown may be repeated. A
  // function may say otherwise for itself.
  bool idempotent = false;
  // It takes many records in one call ("x-batch": true): the parameter "records" is a list of them. All or nothing: an
  // answer means that every record was taken, an error (kFunction) that none was.
  bool batch = false;
  std::vector<std::string> bound;  // settings members whose placeholders the connector binds itself ("x-bind": true)
  schema::Schema schema;
};

// Which defaults of the lifecycle page apply.
enum class Family : std::uint8_t { kFieldDevice, kBroker, kCloud };

struct Manifest {
  std::string type;  // "modbus"
  std::string title;
  std::string summary;
  std::string category;
  Family family = Family::kFieldDevice;
  std::vector<std::string> capabilities;  // "read", "write", "subscribe", "browse"
  std::vector<std::string> aliases;       // what people search for: vendors, ports
  std::string library;
  std::string licence;
  std::size_t max_concurrent_calls = 1;
  // Settings that two connections must not have in common, all of them together: ["host", "port", "clientId"]. Connections
  // that lack one of them are left alone.
  std::vector<std::string> unique_settings;
};

struct Entry {
  Manifest manifest;
  schema::Schema connection;
  std::vector<FunctionType> functions;
  std::string guide;
  std::unique_ptr<Connector> connector;

  const FunctionType* function(std::string_view type) const;
};

class Registry {
 public:
  // Error: kInternal "invalid_connector" with the file and what is wrong with it.
  Result<void> add(const Resources& resources, std::unique_ptr<Connector> connector);
  const Entry* find(std::string_view type) const;
  const std::vector<std::unique_ptr<Entry>>& entries() const { return entries_; }

 private:
  std::vector<std::unique_ptr<Entry>> entries_;
};

}  // namespace tributary::sdk
