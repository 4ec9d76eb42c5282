#include "orchestrate/model/warnings.hpp"

#include <fmt/format.h>

#include <set>

namespace tributary::orchestrate {
namespace {

bool is_destination(const FunctionInfo& function) {
  return function.kind == sdk::FunctionKind::kWrite || function.kind == sdk::FunctionKind::kCommand;
}

class Reader {
 public:
  Reader(const Json& body, const NodeCatalogue& catalogue, const FunctionPort& functions)
      : body_(body), catalogue_(catalogue), functions_(functions) {
    const Json& edges = get_member(body, "edges");
    for (std::size_t i = 0; edges.is_array() && i < edges.size(); ++i)
      taken_.insert({get_string(edges[i], "from"), get_string(edges[i], "port")});
  }

  std::vector<schema::FieldError> read() {
    const Json& nodes = get_member(body_, "nodes");
    if (!nodes.is_array()) return {};
    for (std::size_t i = 0; i < nodes.size(); ++i) read_node(fmt::format("/nodes/{}", i), nodes[i]);
    if (!sends_) {
      warnings_.insert(warnings_.begin(),
                       {"/nodes", "no_destination",
                        "No node calls a write or command function: nothing leaves the pipeline."});
    }
    return std::move(warnings_);
  }

 private:
  void warn(std::string pointer, std::string code, std::string message) {
    warnings_.push_back({std::move(pointer), std::move(code), std::move(message)});
  }

  void read_node(const std::string& at, const Json& node) {
    const std::string id = get_string(node, "id");
    const std::string type = get_string(node, "type");
    const Json& settings = get_member(node, "settings");
    if (type == "respond") sends_ = true;
    if (node.is_object() && node.contains("pin")) {
      warn(at + "/pin", "pinned",
           fmt::format("'{}' has pinned data: tests use it, runs do not.", id));
    }
    if (get_int(settings, "concurrency", 1) > 1) {
      warn(at + "/settings/concurrency", "order",
           fmt::format("'{}' makes several calls at once: records may overtake each other.", id));
    }
    if (const auto function = functions_.find(get_string(settings, "functionId"))) {
      sends_ = sends_ || is_destination(*function);
      if (!functions_.is_connected(function->connection_id)) {
        const std::string reason = functions_.why_not_connected(function->connection_id);
        warn(at + "/settings/functionId", "connection_down",
             reason.empty()
                 ? fmt::format("The connection \"{}\" is not connected.", function->connection_name)
                 : reason);
      }
    }
    read_ports(at, id, type);
  }

  void read_ports(const std::string& at, const std::string& id, const std::string& type) {
    // A condition with one way is the usual filter; a switch is meant to send everything somewhere.
    const auto* entry = catalogue_.find(type);
    if (type != "switch" || entry == nullptr) return;
    for (const std::string& port : entry->type.ports) {
      if (taken_.contains({id, port})) continue;
      warn(at, "open_port",
           fmt::format("The port '{}' of '{}' leads nowhere: records that take it end there.", port,
                       id));
    }
  }

  const Json& body_;
  const NodeCatalogue& catalogue_;
  const FunctionPort& functions_;
  std::set<std::pair<std::string, std::string>> taken_;
  bool sends_ = false;
  std::vector<schema::FieldError> warnings_;
};

}  // namespace

std::vector<schema::FieldError> warnings_of(const Json& body, const NodeCatalogue& catalogue,
                                            const FunctionPort& functions) {
  return Reader(body, catalogue, functions).read();
}

}  // namespace tributary::orchestrate
