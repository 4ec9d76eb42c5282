#include "connectors/opcua/src/node_id.hpp"

#include <fmt/format.h>
#include <open62541/util.h>

#include <algorithm>
#include <charconv>

namespace tributary::connectors::opcua {
namespace {

constexpr std::string_view kStandard = "http://opcfoundation.org/UA/";

template <typename Number>
bool read_number(std::string_view text, Number& number) {
  const auto* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, number);
  return !text.empty() && error == std::errc{} && rest == end;
}

// "%3B" → ";". False for anything else behind a percent sign.
bool unescape(std::string_view text, std::string& plain) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      plain += text[i];
      continue;
    }
    const std::string_view code = text.substr(i, 3);
    if (code == "%3B" || code == "%3b") {
      plain += ';';
    } else if (code == "%25") {
      plain += '%';
    } else {
      return false;
    }
    i += 2;
  }
  return true;
}

std::string escape(std::string_view uri) {
  std::string text;
  for (const char c : uri) {
    if (c == ';') {
      text += "%3B";
    } else if (c == '%') {
      text += "%25";
    } else {
      text += c;
    }
  }
  return text;
}

bool read_identifier(std::string_view text, UA_NodeId& id) {
  if (text.size() < 2 || text[1] != '=') return false;
  const std::string_view value = text.substr(2);
  switch (text[0]) {
    case 'i':
      id.identifierType = UA_NODEIDTYPE_NUMERIC;
      return read_number(value, id.identifier.numeric);
    case 's':
      id.identifierType = UA_NODEIDTYPE_STRING;
      id.identifier.string = copy_of(value);
      return !value.empty();
    case 'g':
      id.identifierType = UA_NODEIDTYPE_GUID;
      return UA_Guid_parse(&id.identifier.guid, borrow(value)) == UA_STATUSCODE_GOOD;
    case 'b': {
      const UA_String base64 = borrow(value);
      id.identifierType = UA_NODEIDTYPE_BYTESTRING;
      return !value.empty() &&
             UA_ByteString_fromBase64(&id.identifier.byteString, &base64) == UA_STATUSCODE_GOOD;
    }
    default:
      return false;
  }
}

bool read(std::string_view text, NodeName& name) {
  constexpr std::string_view kUri = "nsu=";
  constexpr std::string_view kIndex = "ns=";
  if (text.starts_with(kUri)) {
    const auto end = text.find(';');
    if (end == std::string_view::npos ||
        !unescape(text.substr(kUri.size(), end - kUri.size()), name.uri) || name.uri.empty())
      return false;
    text.remove_prefix(end + 1);
  } else if (text.starts_with(kIndex)) {
    const auto end = text.find(';');
    if (end == std::string_view::npos ||
        !read_number(text.substr(kIndex.size(), end - kIndex.size()), name.id->namespaceIndex))
      return false;
    text.remove_prefix(end + 1);
  }
  return read_identifier(text, *name.id);
}

std::string identifier_text(const UA_NodeId& id) {
  switch (id.identifierType) {
    case UA_NODEIDTYPE_NUMERIC:
      return fmt::format("i={}", id.identifier.numeric);
    case UA_NODEIDTYPE_STRING:
      return fmt::format("s={}", view(id.identifier.string));
    case UA_NODEIDTYPE_GUID:
      return "g=" + to_text(id.identifier.guid);
    default: {
      UA_String base64 = UA_STRING_NULL;
      UA_ByteString_toBase64(&id.identifier.byteString, &base64);
      std::string text = fmt::format("b={}", view(base64));
      UA_String_clear(&base64);
      return text;
    }
  }
}

}  // namespace

Result<SharedNodeName> parse_node_id(std::string_view text, const std::string& pointer) {
  auto name = std::make_shared<NodeName>();
  name->text = text;
  if (read(text, *name)) return name;
  return fail(ErrorClass::kFunction, "invalid_node_id",
              fmt::format("\"{}\" is no node id", text.substr(0, 256)),
              "It looks like nsu=http://plant/line3;s=Filler.Speed, ns=2;i=1001 or i=2258.",
              pointer);
}

Result<Owned<UA_NodeId>> resolve(const NodeName& name, const Namespaces& namespaces) {
  auto id = Owned<UA_NodeId>::of(*name.id);
  if (name.uri.empty() || name.uri == kStandard) return id;
  const auto found = std::ranges::find(namespaces, name.uri);
  if (found == namespaces.end()) {
    return fail(
        ErrorClass::kFunction, "namespace_unknown",
        fmt::format("The server has no namespace {} now, which {} stands in", name.uri, name.text),
        "Has the server not loaded it yet? Browse the server for the right one.");
  }
  id->namespaceIndex = static_cast<UA_UInt16>(found - namespaces.begin());
  return id;
}

std::string to_text(const UA_NodeId& id, const Namespaces& namespaces) {
  if (id.namespaceIndex == 0) return identifier_text(id);
  if (id.namespaceIndex < namespaces.size() && !namespaces[id.namespaceIndex].empty())
    return fmt::format("nsu={};{}", escape(namespaces[id.namespaceIndex]), identifier_text(id));
  return fmt::format("ns={};{}", id.namespaceIndex, identifier_text(id));
}

std::string to_text(const UA_ExpandedNodeId& id, const Namespaces& namespaces) {
  std::string text = id.serverIndex == 0 ? "" : fmt::format("svr={};", id.serverIndex);
  if (id.namespaceUri.length > 0)
    return text +
           fmt::format("nsu={};{}", escape(view(id.namespaceUri)), identifier_text(id.nodeId));
  return text + to_text(id.nodeId, namespaces);
}

std::string to_text(const UA_Guid& guid) {
  std::string text = fmt::format("{:08x}-{:04x}-{:04x}-", guid.data1, guid.data2, guid.data3);
  for (std::size_t i = 0; i < 8; ++i)
    text += fmt::format("{}{:02x}", i == 2 ? "-" : "", guid.data4[i]);
  return text;
}

}  // namespace tributary::connectors::opcua
