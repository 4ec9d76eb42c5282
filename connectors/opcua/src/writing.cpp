#include "connectors/opcua/src/writing.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "connectors/opcua/src/errors.hpp"
#include "connectors/opcua/src/reading.hpp"
#include "connectors/opcua/src/types.hpp"

namespace tributary::connectors::opcua {
namespace {

struct Source {
  const Json* value = nullptr;
  std::string pointer;
};

Source find_value(const std::string& name, const Json& parameters, const Json& values) {
  if (parameters.is_object() && parameters.contains(name))
    return {&parameters.at(name), "/parameters/" + escape_pointer(name)};
  if (values.is_object() && values.contains(name))
    return {&values.at(name), "/settings/values/" + escape_pointer(name)};
  return {};
}

// One value on its way.
struct Item {
  std::uint32_t point = 0;
  Source source;
  std::size_t sample = 0;  // its place in the scan
  Owned<UA_NodeId> id;
  Owned<UA_Variant> value;
};

std::uint32_t status_of(WriteSettings::Status status) {
  switch (status) {
    case WriteSettings::Status::kUncertain:
      return kUncertain.status_code();
    case WriteSettings::Status::kBad:
      return kBad.status_code();
    default:
      return kGood.status_code();
  }
}

void mark(Sample& sample, Quality quality, std::shared_ptr<const Error> error) {
  sample.quality = quality;
  sample.error = std::move(error);
  sample.value = std::monostate{};
}

// The values that the call has, each with a sample.
Result<std::vector<Item>> collect(const WriteOperation& operation, const Json& parameters,
                                  const Namespaces& namespaces, Scan& scan) {
  std::vector<Item> items;
  const PointNames& names = *operation.nodes.names;
  for (std::uint32_t i = 0; i < names.size(); ++i) {
    Source source = find_value(names[i], parameters, operation.settings.values);
    if (source.value == nullptr) continue;
    Sample sample;
    sample.point = i;
    sample.value = from_json(*source.value);
    auto id = resolve(*operation.nodes.ids[i], namespaces);
    if (!id) {
      mark(sample, kBadConfigurationError, std::make_shared<const Error>(std::move(id.error())));
    } else {
      items.push_back({i, std::move(source), scan.samples.size(), *std::move(id), {}});
    }
    scan.samples.push_back(std::move(sample));
  }
  if (!scan.samples.empty()) return items;
  return fail(ErrorClass::kFunction, "missing_value",
              fmt::format("There is nothing to write: none of the nodes ({}) has a value",
                          fmt::join(names, ", ")),
              "Put values into the function, or give parameters with the names of its nodes.",
              "/settings/values");
}

// Types of nodes that take any type: as what stands there now.
Task<Result<void>> learn_from_values(Shared state, const std::vector<Item>& items,
                                     const Nodes& nodes, SteadyTime deadline) {
  std::vector<Wanted> wanted;
  std::vector<std::string> texts;
  for (const Item& item : items) {
    const std::string& text = nodes.ids[item.point]->text;
    const auto known = state->types.find(text);
    if (known == state->types.end() || known->second.type != nullptr) continue;
    wanted.push_back({*item.id, UA_ATTRIBUTEID_VALUE});
    texts.push_back(text);
  }
  if (wanted.empty()) co_return Result<void>{};
  const auto answers = co_await read_attributes(state, std::move(wanted), 0, deadline);
  if (!answers) co_return fail(answers.error());
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const UA_DataValue& value = *(*answers)[i];
    if (value.hasValue) state->types[texts[i]].type = value.value.type;
  }
  co_return Result<void>{};
}

Result<void> convert(std::vector<Item>& items, const Nodes& nodes, State& state) {
  for (Item& item : items) {
    TargetType target{.type = nullptr, .array = true, .scalar = true};
    const auto known = state.types.find(nodes.ids[item.point]->text);
    if (known != state.types.end()) target = known->second;
    if (target.type == nullptr) target.type = &natural_type(*item.source.value);
    auto value = to_variant(*item.source.value, target, state.values());
    if (!value) {
      Error error = std::move(value.error());
      error.message = fmt::format("Node '{}': {}", (*nodes.names)[item.point], error.message);
      error.pointer = item.source.pointer + error.pointer;
      return fail(std::move(error));
    }
    item.value = *std::move(value);
  }
  return {};
}

Owned<UA_WriteRequest> make_request(std::span<Item> items, const WriteSettings& settings) {
  Owned<UA_WriteRequest> request;
  request->nodesToWrite = new_array<UA_WriteValue>(items.size(), UA_TYPES[UA_TYPES_WRITEVALUE]);
  request->nodesToWriteSize = items.size();
  for (std::size_t i = 0; i < items.size(); ++i) {
    UA_WriteValue& write = request->nodesToWrite[i];
    std::swap(write.nodeId, *items[i].id);
    write.attributeId = UA_ATTRIBUTEID_VALUE;
    std::swap(write.value.value, *items[i].value);
    write.value.hasValue = true;
    if (settings.status) {
      write.value.status = status_of(*settings.status);
      write.value.hasStatus = true;
    }
    if (!settings.source_time) continue;
    if (const auto time = parse_utc(*settings.source_time)) {
      write.value.sourceTimestamp = from_utc(*time);
      write.value.hasSourceTimestamp = true;
    }
  }
  return request;
}

// What happened to a part, into its samples.
void note(const UA_WriteResponse& response, std::span<const Item> items, const Nodes& nodes,
          Scan& scan) {
  for (std::size_t i = 0; i < items.size(); ++i) {
    const std::uint32_t status =
        i < response.resultsSize ? response.results[i] : UA_STATUSCODE_BADUNEXPECTEDERROR;
    const Quality quality(status);
    if (quality.is_good()) continue;
    mark(scan.samples[items[i].sample], quality.is_bad() ? quality : kBad,
         shared_node_error(status, "Writing", nodes.ids[items[i].point]->text));
  }
}

}  // namespace

Task<Result<Batch>> write_nodes(Shared state, const WriteOperation& operation,
                                const Json& parameters, SteadyTime deadline) {
  const Nodes& nodes = operation.nodes;
  Scan scan;
  scan.points = nodes.names;
  auto items = collect(operation, parameters, state->namespaces, scan);
  if (!items) co_return fail(std::move(items.error()));
  std::vector<SharedNodeName> needed;
  for (const Item& item : *items) needed.push_back(nodes.ids[item.point]);
  const auto learned = co_await learn_types(state, std::move(needed), deadline);
  if (!learned) co_return fail(learned.error());
  const auto seen = co_await learn_from_values(state, *items, nodes, deadline);
  if (!seen) co_return fail(seen.error());
  if (auto fits = convert(*items, nodes, *state); !fits) co_return fail(std::move(fits.error()));

  const std::span<Item> all = *items;
  for (std::size_t begin = 0; begin < all.size();) {
    const auto part = all.subspan(begin, part_of(all.size(), begin, state->limits.write));
    if (!state->client->is_open()) co_return fail(cancelled());
    auto request = make_request(part, operation.settings);
    const std::string_view what = "writing";
    auto response =
        co_await Client::ask<UA_WriteResponse>(state->client, std::move(request), what, deadline);
    if (!response) {
      Error error = std::move(response.error());
      error.outcome_unknown = is_connection_error(error.error_class);
      co_return fail(std::move(error));
    }
    note(**response, part, nodes, scan);
    begin += part.size();
  }
  scan.receive_time = state->context.clock.utc_now();
  co_return Batch::of(std::move(scan));
}

}  // namespace tributary::connectors::opcua
