#include "connectors/opcua/src/calling.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <open62541/nodeids.h>

#include <algorithm>

#include "connectors/opcua/src/definitions.hpp"
#include "connectors/opcua/src/errors.hpp"
#include "connectors/opcua/src/reading.hpp"
#include "connectors/opcua/src/types.hpp"

namespace tributary::connectors::opcua {
namespace {

constexpr std::string_view kCalling = "calling a method";

// The nodes that describe a method's arguments; null ids where it has none.
struct Descriptions {
  Owned<UA_NodeId> inputs;
  Owned<UA_NodeId> outputs;
};

Task<Result<Descriptions>> find_descriptions(Shared state, const UA_NodeId& method,
                                             std::string_view text, SteadyTime deadline) {
  Owned<UA_BrowseRequest> request;
  request->nodesToBrowse = new_array<UA_BrowseDescription>(1, UA_TYPES[UA_TYPES_BROWSEDESCRIPTION]);
  request->nodesToBrowseSize = 1;
  UA_NodeId_copy(&method, &request->nodesToBrowse[0].nodeId);
  request->nodesToBrowse[0].referenceTypeId = UA_NODEID_NUMERIC(0, UA_NS0ID_HASPROPERTY);
  request->nodesToBrowse[0].resultMask = UA_BROWSERESULTMASK_BROWSENAME;
  auto response = co_await Client::ask<UA_BrowseResponse>(state->client, std::move(request),
                                                          kCalling, deadline);
  if (!response) co_return fail(std::move(response.error()));
  Descriptions found;
  if ((*response)->resultsSize != 1) co_return found;
  const UA_BrowseResult& result = (*response)->results[0];
  if (result.statusCode != UA_STATUSCODE_GOOD)
    co_return fail(node_error(result.statusCode, "Looking at the method", text));
  for (std::size_t i = 0; i < result.referencesSize; ++i) {
    const UA_ReferenceDescription& reference = result.references[i];
    if (view(reference.browseName.name) == "InputArguments")
      UA_NodeId_copy(&reference.nodeId.nodeId, &*found.inputs);
    if (view(reference.browseName.name) == "OutputArguments")
      UA_NodeId_copy(&reference.nodeId.nodeId, &*found.outputs);
  }
  co_return found;
}

std::span<const UA_Argument> arguments_of(const UA_DataValue& value) {
  if (!value.hasValue || !UA_Variant_hasArrayType(&value.value, &UA_TYPES[UA_TYPES_ARGUMENT]))
    return {};
  return {static_cast<const UA_Argument*>(value.value.data), value.value.arrayLength};
}

Task<Result<Method>> learn_method(Shared state, const UA_NodeId& id, std::string text,
                                  SteadyTime deadline) {
  if (const auto known = state->methods.find(text); known != state->methods.end())
    co_return known->second;
  const auto described = co_await find_descriptions(state, id, text, deadline);
  if (!described) co_return fail(described.error());
  std::vector<Wanted> wanted;
  for (const auto* each : {&described->inputs, &described->outputs})
    wanted.push_back({**each, UA_ATTRIBUTEID_VALUE});
  const auto answers = co_await read_attributes(state, std::move(wanted), 0, deadline);
  if (!answers) co_return fail(answers.error());
  Method method;
  std::vector<Owned<UA_NodeId>> types;
  for (const auto& [list, answer] :
       {std::pair{&method.inputs, &(*answers)[0]}, {&method.outputs, &(*answers)[1]}}) {
    for (const UA_Argument& each : arguments_of(**answer)) {
      Argument argument;
      argument.name = view(each.name);
      set_rank(argument.target, each.valueRank);
      list->push_back(std::move(argument));
      types.push_back(Owned<UA_NodeId>::of(each.dataType));
    }
  }
  const auto found = co_await learn_data_types(state, std::move(types), deadline);
  if (!found) co_return fail(found.error());
  auto type = found->begin();
  for (auto* list : {&method.inputs, &method.outputs}) {
    for (Argument& each : *list) set_type(each.target, *type++);
  }
  state->methods[text] = method;
  co_return method;
}

std::string names_of(const Method& method) {
  std::vector<std::string_view> names;
  for (const Argument& each : method.inputs) names.push_back(each.name);
  return names.empty() ? "none" : fmt::format("{}", fmt::join(names, ", "));
}

// A mistyped name would otherwise be left out in silence.
Result<void> check_names(const Method& method, const Json& arguments) {
  if (!arguments.is_object()) return {};
  for (const auto& member : arguments.object_range()) {
    if (std::ranges::find(method.inputs, member.key(), &Argument::name) != method.inputs.end())
      continue;
    return fail(
        ErrorClass::kFunction, "unknown_argument",
        fmt::format("The method has no argument {}; it has: {}", member.key(), names_of(method)),
        "Arguments have the names that the server declares.",
        "/settings/arguments/" + escape_pointer(member.key()));
  }
  return {};
}

Result<void> fill(UA_CallMethodRequest& call, const Method& method, const Json& arguments,
                  const Json& parameters, const ValueContext& context) {
  call.inputArguments = new_array<UA_Variant>(method.inputs.size(), UA_TYPES[UA_TYPES_VARIANT]);
  call.inputArgumentsSize = method.inputs.size();
  for (std::size_t i = 0; i < method.inputs.size(); ++i) {
    const Argument& argument = method.inputs[i];
    const bool from_caller = parameters.is_object() && parameters.contains(argument.name);
    const Json& from = from_caller ? parameters : arguments;
    const std::string pointer =
        (from_caller ? "/parameters/" : "/settings/arguments/") + escape_pointer(argument.name);
    if (!from.is_object() || !from.contains(argument.name)) {
      return fail(ErrorClass::kFunction, "missing_argument",
                  fmt::format("The method wants an argument {}", argument.name),
                  fmt::format("Its arguments: {}.", names_of(method)), pointer);
    }
    const Json& json = from.at(argument.name);
    TargetType target = argument.target;
    if (target.type == nullptr) target.type = &natural_type(json);
    auto value = to_variant(json, target, context);
    if (!value) {
      Error error = std::move(value.error());
      error.message = fmt::format("Argument '{}': {}", argument.name, error.message);
      error.pointer = pointer + error.pointer;
      return fail(std::move(error));
    }
    std::swap(call.inputArguments[i], **value);
  }
  return {};
}

// What the method says when it refuses, with the argument that is to blame.
Error refusal(const UA_CallMethodResult& result, const Method& method, std::string_view text) {
  Error error = node_error(result.statusCode, "Calling", text);
  for (std::size_t i = 0; i < result.inputArgumentResultsSize && i < method.inputs.size(); ++i) {
    if (result.inputArgumentResults[i] == UA_STATUSCODE_GOOD) continue;
    error.message += fmt::format("; argument {}: {}", method.inputs[i].name,
                                 status_name(result.inputArgumentResults[i]));
  }
  return error;
}

Record to_record(const UA_CallMethodResult& result, const Method& method,
                 const ValueContext& context) {
  Record record = json_object();
  for (std::size_t i = 0; i < result.outputArgumentsSize; ++i) {
    const bool declared = i < method.outputs.size();
    const std::string name = declared ? method.outputs[i].name : fmt::format("output{}", i + 1);
    const Enumeration* enumeration = declared ? method.outputs[i].target.enumeration : nullptr;
    record[name] = to_json(to_value(result.outputArguments[i], context, enumeration));
  }
  return record;
}

}  // namespace

Task<Result<Batch>> call_method(Shared state, const CallOperation& operation,
                                const Json& parameters, SteadyTime deadline) {
  auto object = resolve(*operation.object, state->namespaces);
  if (!object) co_return fail(std::move(object.error()));
  auto id = resolve(*operation.method, state->namespaces);
  if (!id) co_return fail(std::move(id.error()));
  const auto method = co_await learn_method(state, **id, operation.method->text, deadline);
  if (!method) co_return fail(method.error());
  if (auto named = check_names(*method, operation.arguments); !named)
    co_return fail(std::move(named.error()));
  Owned<UA_CallRequest> request;
  request->methodsToCall = new_array<UA_CallMethodRequest>(1, UA_TYPES[UA_TYPES_CALLMETHODREQUEST]);
  request->methodsToCallSize = 1;
  UA_CallMethodRequest& call = request->methodsToCall[0];
  std::swap(call.objectId, **object);
  std::swap(call.methodId, **id);
  if (auto filled = fill(call, *method, operation.arguments, parameters, state->values()); !filled)
    co_return fail(std::move(filled.error()));
  if (!state->client->is_open()) co_return fail(cancelled());
  auto response =
      co_await Client::ask<UA_CallResponse>(state->client, std::move(request), kCalling, deadline);
  if (!response) {
    Error error = std::move(response.error());
    error.outcome_unknown = is_connection_error(error.error_class);
    co_return fail(std::move(error));
  }
  if ((*response)->resultsSize != 1)
    co_return fail(node_error(UA_STATUSCODE_BADUNEXPECTEDERROR, "Calling", operation.method->text));
  const UA_CallMethodResult& result = (*response)->results[0];
  if (Quality(result.statusCode).is_bad())
    co_return fail(refusal(result, *method, operation.method->text));
  Record record = to_record(result, *method, state->values());
  for (int round = 0; state->catalog.has_missed() && round < kMostRounds; ++round) {
    // The method has done its work: what its outputs are made of is not worth losing them.
    const auto learned = co_await learn_missed(state, deadline);
    if (!learned) break;
    record = to_record(result, *method, state->values());
  }
  std::vector<Record> records;
  records.push_back(std::move(record));
  co_return Batch::of(std::move(records));
}

}  // namespace tributary::connectors::opcua
