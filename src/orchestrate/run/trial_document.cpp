#include "orchestrate/run/trial_document.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace tributary::orchestrate {
namespace {

std::vector<Record> records_of_list(const Json& list) {
  std::vector<Record> records;
  for (const Json& record : list.array_range()) records.push_back(record);
  return records;
}

bool has_only_ports(const Json& pin, const std::vector<std::string>& ports) {
  if (pin.empty()) return false;
  for (const auto& member : pin.object_range()) {
    const bool port = std::ranges::find(ports, std::string(member.key())) != ports.end();
    if (!port || !member.value().is_array()) return false;
  }
  return true;
}

void wrong(std::vector<schema::FieldError>& problems, std::string pointer, std::string code,
           std::string message) {
  problems.push_back({std::move(pointer), std::move(code), std::move(message)});
}

// "stub" or "call" → whether to call.
bool read_choice(const Json& body, std::string_view member, bool fallback,
                 std::vector<schema::FieldError>& errors) {
  const Json& value = get_member(body, member);
  if (value.is_null()) return fallback;
  const std::string text = get_string(body, member);
  if (text != "stub" && text != "call") {
    wrong(errors, "/" + std::string(member), "not_allowed", "It must be stub or call.");
  }
  return text == "call";
}

void read_input(const Json& input, TrialOptions& options, std::vector<schema::FieldError>& errors) {
  if (input.is_null()) return;
  options.has_input = true;
  if (input.is_object()) {
    options.input.push_back(input);
    return;
  }
  if (!input.is_array()) {
    wrong(errors, "/input", "wrong_type", "The input is a record or a list of records.");
  } else if (input.size() > kMaxTrialRecords) {
    wrong(errors, "/input", "too_long",
          fmt::format("A test takes at most {} records, not {}.", kMaxTrialRecords, input.size()));
  } else {
    options.input = records_of_list(input);
    for (std::size_t i = 0; i < options.input.size(); ++i) {
      if (!options.input[i].is_object())
        wrong(errors, fmt::format("/input/{}", i), "wrong_type", "A record is an object.");
    }
  }
}

}  // namespace

TrialOptions read_trial_options(const Json& body, std::vector<schema::FieldError>& errors) {
  TrialOptions options;
  read_input(get_member(body, "input"), options, errors);
  for (const std::string_view member : {"trigger", "until", "now"}) {
    const Json& value = get_member(body, member);
    if (!value.is_null() && !value.is_string())
      wrong(errors, "/" + std::string(member), "wrong_type", "It must be a text.");
  }
  options.trigger = get_string(body, "trigger");
  options.until = get_string(body, "until");
  const Json& pins = get_member(body, "pins");
  if (pins.is_object()) {
    options.pins = pins;
  } else if (!pins.is_null()) {
    wrong(errors, "/pins", "wrong_type", "Pins are an object: the id of a node and what it gives.");
  }
  options.call_destinations = read_choice(body, "destinations", false, errors);
  options.call_reads = read_choice(body, "reads", true, errors);
  if (const std::string now = get_string(body, "now"); !now.empty()) {
    auto time = parse_utc(now);
    if (time) {
      options.now = *time;
    } else {
      wrong(errors, "/now", "format", time.error().message);
    }
  }
  return options;
}

std::vector<std::vector<Record>> pinned_records(const Json& pin,
                                                const std::vector<std::string>& ports) {
  std::vector<std::vector<Record>> by_port(ports.size());
  if (pin.is_array()) {
    by_port.front() = records_of_list(pin);
  } else if (has_only_ports(pin, ports)) {
    for (std::size_t i = 0; i < ports.size(); ++i) {
      if (pin.contains(ports[i])) by_port[i] = records_of_list(pin.at(ports[i]));
    }
  } else {
    by_port.front().push_back(pin);
  }
  return by_port;
}

TrialDocument::TrialDocument(const Json& body, const TrialOptions& options,
                             std::vector<schema::FieldError>& problems)
    : body_(body) {
  // What is not even a graph is for the check to say.
  const Json& nodes = get_member(body_, "nodes");
  if (!nodes.is_array()) return;
  if (!get_member(body_, "edges").is_array()) body_.insert_or_assign("edges", json_array());
  for (std::size_t i = 0; i < nodes.size(); ++i) node_places_.push_back(i);
  for (std::size_t i = 0; i < body_.at("edges").size(); ++i) edge_places_.push_back(i);
  if (!options.until.empty()) {
    if (has_node(options.until)) {
      keep_before(options.until);
    } else {
      wrong(problems, "/until", "unknown_node",
            fmt::format("There is no node with the id '{}'.", options.until));
    }
  }
  drop_deliveries();
  find_trigger(options, problems);
  read_pins(options, problems);
}

bool TrialDocument::has_node(const std::string& id) const {
  const Json& nodes = body_.at("nodes");
  return std::ranges::any_of(nodes.array_range(),
                             [&](const Json& node) { return get_string(node, "id") == id; });
}

void TrialDocument::keep_before(const std::string& until) {
  const Json edges = body_.at("edges");
  std::set<std::string> kept{until};
  // As many rounds as there are edges are enough for the longest way.
  for (bool grown = true; grown;) {
    grown = false;
    for (const Json& edge : edges.array_range()) {
      if (!kept.contains(get_string(edge, "to"))) continue;
      grown = kept.insert(get_string(edge, "from")).second || grown;
    }
  }
  const auto filter = [this](std::string_view list, std::vector<std::size_t>& places, auto wanted) {
    Json left = json_array();
    places.clear();
    const Json& all = body_.at(list);
    for (std::size_t i = 0; i < all.size(); ++i) {
      if (!wanted(all[i])) continue;
      left.push_back(all[i]);
      places.push_back(i);
    }
    body_.insert_or_assign(list, std::move(left));
  };
  filter("nodes", node_places_,
         [&](const Json& node) { return kept.contains(get_string(node, "id")); });
  filter("edges", edge_places_, [&](const Json& edge) {
    return kept.contains(get_string(edge, "from")) && kept.contains(get_string(edge, "to")) &&
           get_string(edge, "from") != until;
  });
  // A port for errors whose way was cut off is no mistake.
  for (Json& node : body_.at("nodes").array_range()) {
    if (get_string(node, "onError") != "errorPort") continue;
    const std::string id = get_string(node, "id");
    const bool used = std::ranges::any_of(body_.at("edges").array_range(), [&](const Json& edge) {
      return get_string(edge, "from") == id && get_string(edge, "port") == "error";
    });
    if (!used) node.insert_or_assign("onError", "stop");
  }
}

void TrialDocument::drop_deliveries() {
  for (Json& node : body_.at("nodes").array_range()) {
    if (node.is_object()) node.erase("delivery");
  }
}

void TrialDocument::find_trigger(const TrialOptions& options,
                                 std::vector<schema::FieldError>& problems) {
  for (const Json& node : body_.at("nodes").array_range()) {
    const std::string id = get_string(node, "id");
    if (!get_string(node, "type").starts_with("trigger.")) continue;
    if (options.trigger.empty() || options.trigger == id) {
      trigger_ = id;
      return;
    }
  }
  if (!options.trigger.empty()) {
    wrong(problems, "/trigger", "unknown_node",
          fmt::format("'{}' is no trigger that leads there.", options.trigger));
  }
}

void TrialDocument::read_pins(const TrialOptions& options,
                              std::vector<schema::FieldError>& problems) {
  for (const Json& node : body_.at("nodes").array_range()) {
    if (node.is_object() && node.contains("pin")) pins_[get_string(node, "id")] = node.at("pin");
  }
  for (const auto& pin : options.pins.object_range()) {
    const std::string id(pin.key());
    const std::string at = "/pins/" + escape_pointer(id);
    if (!pin.value().is_array() && !pin.value().is_object()) {
      wrong(problems, at, "wrong_type", "A pin is a list of records, or an object of such lists.");
    } else if (has_node(id)) {
      pins_[id] = pin.value();
    } else if (options.until.empty()) {
      wrong(problems, at, "unknown_node", fmt::format("There is no node with the id '{}'.", id));
    }
  }
}

std::string TrialDocument::original(const std::string& pointer) const {
  for (const std::string list : {"/nodes/", "/edges/"}) {
    if (!pointer.starts_with(list)) continue;
    const auto& places = list == "/nodes/" ? node_places_ : edge_places_;
    std::size_t place = 0;
    const char* begin = pointer.data() + list.size();
    const auto read = std::from_chars(begin, pointer.data() + pointer.size(), place);
    if (read.ec != std::errc{} || place >= places.size()) return pointer;
    return list + std::to_string(places[place]) + std::string(read.ptr);
  }
  return pointer;
}

}  // namespace tributary::orchestrate
