#include "connectors/opcua/src/browsing.hpp"

#include <fmt/format.h>
#include <open62541/nodeids.h>

#include <set>

#include "connectors/opcua/src/errors.hpp"
#include "connectors/opcua/src/reading.hpp"

namespace tributary::connectors::opcua {
namespace {

constexpr std::uint32_t kPageSize = 500;
constexpr std::string_view kBrowsing = "browsing";

// A node that was found.
struct Found {
  Owned<UA_NodeId> id;
  std::string text;
  std::string name;
  std::string browse_name;
  UA_NodeClass node_class = UA_NODECLASS_UNSPECIFIED;
  std::string reference;  // its type
  bool property = false;
  // Of variables.
  std::string data_type;
  std::int64_t rank = -1;
  bool readable = false;
  bool writable = false;
};

std::string_view class_name(UA_NodeClass node_class) {
  switch (node_class) {
    case UA_NODECLASS_OBJECT:
      return "object";
    case UA_NODECLASS_VARIABLE:
      return "variable";
    case UA_NODECLASS_METHOD:
      return "method";
    case UA_NODECLASS_OBJECTTYPE:
      return "objectType";
    case UA_NODECLASS_VARIABLETYPE:
      return "variableType";
    case UA_NODECLASS_REFERENCETYPE:
      return "referenceType";
    case UA_NODECLASS_DATATYPE:
      return "dataType";
    case UA_NODECLASS_VIEW:
      return "view";
    default:
      return "unknown";
  }
}

std::string reference_name(const UA_NodeId& id, const Namespaces& namespaces) {
  if (id.namespaceIndex == 0 && id.identifierType == UA_NODEIDTYPE_NUMERIC) {
    switch (id.identifier.numeric) {
      case UA_NS0ID_ORGANIZES:
        return "Organizes";
      case UA_NS0ID_HASCOMPONENT:
        return "HasComponent";
      case UA_NS0ID_HASORDEREDCOMPONENT:
        return "HasOrderedComponent";
      case UA_NS0ID_HASPROPERTY:
        return "HasProperty";
      case UA_NS0ID_HASTYPEDEFINITION:
        return "HasTypeDefinition";
      case UA_NS0ID_HASSUBTYPE:
        return "HasSubtype";
      case UA_NS0ID_HASNOTIFIER:
        return "HasNotifier";
      case UA_NS0ID_HASEVENTSOURCE:
        return "HasEventSource";
      default:
        break;
    }
  }
  return to_text(id, namespaces);
}

UA_NodeId reference_id(BrowseSettings::References references) {
  switch (references) {
    case BrowseSettings::References::kOrganizes:
      return UA_NODEID_NUMERIC(0, UA_NS0ID_ORGANIZES);
    case BrowseSettings::References::kComponent:
      return UA_NODEID_NUMERIC(0, UA_NS0ID_HASCOMPONENT);
    case BrowseSettings::References::kProperty:
      return UA_NODEID_NUMERIC(0, UA_NS0ID_HASPROPERTY);
    case BrowseSettings::References::kSubtype:
      return UA_NODEID_NUMERIC(0, UA_NS0ID_HASSUBTYPE);
    case BrowseSettings::References::kAll:
      return UA_NODEID_NUMERIC(0, UA_NS0ID_REFERENCES);
    default:
      return UA_NODEID_NUMERIC(0, UA_NS0ID_HIERARCHICALREFERENCES);
  }
}

Found to_found(const UA_ReferenceDescription& reference, const Namespaces& namespaces) {
  Found found;
  found.id = Owned<UA_NodeId>::of(reference.nodeId.nodeId);
  found.text = to_text(reference.nodeId, namespaces);
  found.browse_name = to_std(reference.browseName.name);
  found.name = reference.displayName.text.length > 0 ? to_std(reference.displayName.text)
                                                     : found.browse_name;
  found.node_class = reference.nodeClass;
  found.reference = reference_name(reference.referenceTypeId, namespaces);
  const UA_NodeId property = UA_NODEID_NUMERIC(0, UA_NS0ID_PROPERTYTYPE);
  found.property = UA_NodeId_equal(&reference.typeDefinition.nodeId, &property);
  return found;
}

// The children of one node as they came, and where to go on.
struct Children {
  std::vector<Found> found;
  std::string continuation;
};

Result<Children> take(const UA_BrowseResult& result, const Namespaces& namespaces,
                      std::string_view node) {
  if (result.statusCode != UA_STATUSCODE_GOOD)
    return fail(node_error(result.statusCode, "Browsing", node));
  Children children;
  for (std::size_t i = 0; i < result.referencesSize; ++i) {
    // Nodes of other servers cannot be asked here.
    if (result.references[i].nodeId.serverIndex == 0)
      children.found.push_back(to_found(result.references[i], namespaces));
  }
  children.continuation = to_std(result.continuationPoint);
  return children;
}

void describe_node(UA_BrowseDescription& browse, const UA_NodeId& id,
                   BrowseSettings::References references) {
  UA_NodeId_copy(&id, &browse.nodeId);
  browse.browseDirection = UA_BROWSEDIRECTION_FORWARD;
  browse.referenceTypeId = reference_id(references);
  browse.includeSubtypes = true;
  browse.resultMask = UA_BROWSERESULTMASK_ALL;
}

Task<Result<Children>> browse_next(Shared state, std::string continuation, std::string_view node,
                                   SteadyTime deadline) {
  Owned<UA_BrowseNextRequest> request;
  request->continuationPoints = new_array<UA_ByteString>(1, UA_TYPES[UA_TYPES_BYTESTRING]);
  request->continuationPointsSize = 1;
  request->continuationPoints[0] = copy_of(continuation);
  auto response = co_await Client::ask<UA_BrowseNextResponse>(state->client, std::move(request),
                                                              kBrowsing, deadline);
  if (!response) co_return fail(std::move(response.error()));
  if ((*response)->resultsSize != 1)
    co_return fail(node_error(UA_STATUSCODE_BADUNEXPECTEDERROR, "Browsing", node));
  co_return take((*response)->results[0], state->namespaces, node);
}

// The first page of each node's children, in the order of the nodes.
Task<Result<std::vector<Result<Children>>>> browse_many(Shared state, std::span<const Found> nodes,
                                                        BrowseSettings::References references,
                                                        SteadyTime deadline) {
  Owned<UA_BrowseRequest> request;
  request->requestedMaxReferencesPerNode = kPageSize;
  request->nodesToBrowse =
      new_array<UA_BrowseDescription>(nodes.size(), UA_TYPES[UA_TYPES_BROWSEDESCRIPTION]);
  request->nodesToBrowseSize = nodes.size();
  for (std::size_t i = 0; i < nodes.size(); ++i)
    describe_node(request->nodesToBrowse[i], *nodes[i].id, references);
  auto response = co_await Client::ask<UA_BrowseResponse>(state->client, std::move(request),
                                                          kBrowsing, deadline);
  if (!response) co_return fail(std::move(response.error()));
  std::vector<Result<Children>> children;
  for (std::size_t i = 0; i < nodes.size() && i < (*response)->resultsSize; ++i)
    children.push_back(take((*response)->results[i], state->namespaces, nodes[i].text));
  co_return children;
}

std::string type_name(const UA_NodeId& id, const Namespaces& namespaces) {
  const UA_DataType* type = UA_findDataType(&id);
  return type != nullptr ? type->typeName : to_text(id, namespaces);
}

// Types and access of the variables among the nodes.
Task<Result<void>> describe_variables(Shared state, std::vector<Found>& nodes,
                                      SteadyTime deadline) {
  constexpr std::size_t kAttributes = 3;
  std::vector<Wanted> wanted;
  std::vector<Found*> variables;
  for (Found& node : nodes) {
    if (node.node_class != UA_NODECLASS_VARIABLE) continue;
    variables.push_back(&node);
    wanted.push_back({*node.id, UA_ATTRIBUTEID_DATATYPE});
    wanted.push_back({*node.id, UA_ATTRIBUTEID_VALUERANK});
    wanted.push_back({*node.id, UA_ATTRIBUTEID_USERACCESSLEVEL});
  }
  const auto answers = co_await read_attributes(state, std::move(wanted), 0, deadline);
  if (!answers) co_return fail(answers.error());
  for (std::size_t i = 0; i < variables.size(); ++i) {
    const UA_Variant& type = (*answers)[kAttributes * i]->value;
    const UA_Variant& rank = (*answers)[kAttributes * i + 1]->value;
    const UA_Variant& access = (*answers)[kAttributes * i + 2]->value;
    if (UA_Variant_hasScalarType(&type, &UA_TYPES[UA_TYPES_NODEID]))
      variables[i]->data_type =
          type_name(*static_cast<const UA_NodeId*>(type.data), state->namespaces);
    if (UA_Variant_hasScalarType(&rank, &UA_TYPES[UA_TYPES_INT32]))
      variables[i]->rank = *static_cast<const UA_Int32*>(rank.data);
    if (!UA_Variant_hasScalarType(&access, &UA_TYPES[UA_TYPES_BYTE])) continue;
    const auto level = *static_cast<const UA_Byte*>(access.data);
    variables[i]->readable = (level & UA_ACCESSLEVELMASK_READ) != 0;
    variables[i]->writable = (level & UA_ACCESSLEVELMASK_WRITE) != 0;
  }
  co_return Result<void>{};
}

std::string_view access_name(const Found& node) {
  if (node.readable && node.writable) return "readWrite";
  if (node.readable) return "read";
  return node.writable ? "write" : "none";
}

Json details_of(const Found& node) {
  Json json = json_object();
  json["nodeClass"] = std::string(class_name(node.node_class));
  json["browseName"] = node.browse_name;
  json["reference"] = node.reference;
  if (node.node_class != UA_NODECLASS_VARIABLE) return json;
  json["dataType"] = node.rank >= 0 ? node.data_type + "[]" : node.data_type;
  json["access"] = std::string(access_name(node));
  return json;
}

// Properties have no children, and methods none that are data.
bool may_have_children(const Found& node) {
  return !node.property && node.node_class != UA_NODECLASS_METHOD;
}

Result<Found> start_at(const NodeName& name, const Namespaces& namespaces) {
  auto id = resolve(name, namespaces);
  TRIBUTARY_TRY(id);
  Found found;
  found.id = *std::move(id);
  found.text = name.text;
  return found;
}

Json to_record(const Found& node, const std::string& parent, std::int64_t level) {
  Json record = json_object();
  record["nodeId"] = node.text;
  record["name"] = node.name;
  record["parent"] = parent;
  record["level"] = level;
  const Json details = details_of(node);
  for (const auto& member : details.object_range()) record[member.key()] = member.value();
  return record;
}

// A walk, level by level.
struct Walk {
  std::vector<Record> records;
  std::set<std::string> seen;
  std::vector<Found> level;
  std::vector<Found> next;
};

Task<Result<void>> collect(Shared state, Walk& walk, Children children, std::string parent,
                           std::int64_t depth, const BrowseSettings& settings,
                           SteadyTime deadline) {
  const auto most = static_cast<std::size_t>(settings.max_nodes);
  for (;;) {
    std::erase_if(children.found,
                  [&walk](const Found& node) { return !walk.seen.insert(node.text).second; });
    const auto described = co_await describe_variables(state, children.found, deadline);
    if (!described) co_return described;
    for (Found& node : children.found) {
      if (walk.records.size() >= most) break;
      walk.records.push_back(to_record(node, parent, depth));
      if (may_have_children(node)) walk.next.push_back(std::move(node));
    }
    if (children.continuation.empty()) co_return Result<void>{};
    auto more = co_await browse_next(state, std::move(children.continuation), parent, deadline);
    if (!more) co_return fail(std::move(more.error()));
    children = *std::move(more);
  }
}

}  // namespace

Owned<UA_BrowseRequest> references_of(std::span<const Owned<UA_NodeId>> nodes,
                                      UA_BrowseDirection direction, UA_UInt32 reference) {
  Owned<UA_BrowseRequest> request;
  request->nodesToBrowse =
      new_array<UA_BrowseDescription>(nodes.size(), UA_TYPES[UA_TYPES_BROWSEDESCRIPTION]);
  request->nodesToBrowseSize = nodes.size();
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    UA_BrowseDescription& browse = request->nodesToBrowse[i];
    UA_NodeId_copy(&*nodes[i], &browse.nodeId);
    browse.browseDirection = direction;
    browse.referenceTypeId = UA_NODEID_NUMERIC(0, reference);
    browse.resultMask = UA_BROWSERESULTMASK_BROWSENAME;
  }
  return request;
}

Task<Result<sdk::BrowsePage>> browse_page(Shared state, std::string node, std::string cursor,
                                          SteadyTime deadline) {
  const std::string text = node.empty() ? "i=84" : node;
  Result<Children> children{};
  if (!cursor.empty()) {
    const UA_String base64 = borrow(cursor);
    UA_ByteString point = UA_BYTESTRING_NULL;
    UA_ByteString_fromBase64(&point, &base64);
    std::string continuation = to_std(point);
    UA_ByteString_clear(&point);
    children = co_await browse_next(state, std::move(continuation), text, deadline);
  } else {
    const auto name = parse_node_id(text, "/node");
    if (!name) co_return fail(name.error());
    std::vector<Found> start(1);
    auto first = start_at(**name, state->namespaces);
    if (!first) co_return fail(std::move(first.error()));
    start[0] = *std::move(first);
    auto pages =
        co_await browse_many(state, start, BrowseSettings::References::kHierarchical, deadline);
    if (!pages) co_return fail(std::move(pages.error()));
    if (pages->empty()) co_return sdk::BrowsePage{};
    children = std::move(pages->front());
  }
  if (!children) co_return fail(std::move(children.error()));
  const auto described = co_await describe_variables(state, children->found, deadline);
  if (!described) co_return fail(described.error());
  sdk::BrowsePage page;
  for (const Found& found : children->found)
    page.nodes.push_back({found.text, found.name, may_have_children(found), details_of(found)});
  const UA_ByteString point = borrow(children->continuation);
  if (point.length > 0) {
    UA_String base64 = UA_STRING_NULL;
    UA_ByteString_toBase64(&point, &base64);
    page.next = to_std(base64);
    UA_String_clear(&base64);
  }
  co_return page;
}

Task<Result<Batch>> browse_nodes(Shared state, const BrowseOperation& operation,
                                 SteadyTime deadline) {
  const BrowseSettings& settings = operation.settings;
  const auto most = static_cast<std::size_t>(settings.max_nodes);
  Walk walk;
  auto first = start_at(*operation.start, state->namespaces);
  if (!first) co_return fail(std::move(first.error()));
  walk.seen.insert(first->text);
  walk.level.push_back(*std::move(first));
  for (std::int64_t depth = 1; depth <= settings.depth && !walk.level.empty(); ++depth) {
    for (std::size_t begin = 0; begin < walk.level.size() && walk.records.size() < most;) {
      const auto part =
          std::span<const Found>(walk.level)
              .subspan(begin, part_of(walk.level.size(), begin, state->limits.browse));
      auto pages = co_await browse_many(state, part, settings.references, deadline);
      if (!pages) co_return fail(std::move(pages.error()));
      for (std::size_t i = 0; i < pages->size(); ++i) {
        // The server can keep its place in only so many lists at once: alone, this one has room.
        if (!(*pages)[i] && (*pages)[i].error().code == "bad_no_continuation_points") {
          const auto alone = part.subspan(i, 1);
          auto again = co_await browse_many(state, alone, settings.references, deadline);
          if (!again) co_return fail(std::move(again.error()));
          if (!again->empty()) (*pages)[i] = std::move(again->front());
        }
        // What cannot be browsed below the start is a leaf.
        if (!(*pages)[i] && depth == 1) co_return fail(std::move((*pages)[i].error()));
        if (!(*pages)[i]) continue;
        const auto done = co_await collect(state, walk, std::move(*(*pages)[i]), part[i].text,
                                           depth, settings, deadline);
        if (!done) co_return fail(done.error());
      }
      begin += part.size();
    }
    walk.level = std::exchange(walk.next, {});
  }
  co_return Batch::of(std::move(walk.records));
}

}  // namespace tributary::connectors::opcua
