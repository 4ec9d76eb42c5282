// A server with nodes of every kind, and certificates, for the tests of this
// connector.
#pragma once

#include <fmt/format.h>
#include <open62541/server.h>

#include <array>
#include <memory>
#include <string>

#include "connectors/opcua/simulator/server.hpp"
#include "connectors/opcua/src/keys.hpp"
#include "connectors/opcua/src/ua.hpp"
#include "tests/support/certificates.hpp"

namespace tributary::connectors::opcua {

inline constexpr const char* kNamespace = "http://tributary.example/test";
inline constexpr const char* kServerUri = "urn:tributary:test:server";
inline constexpr const char* kClientUri = "urn:tributary:test:client";

inline test::CertificateRequest rsa_request(const std::string& name, const std::string& uri) {
  test::CertificateRequest request;
  request.common_name = name;
  request.names = {"URI:" + uri, "DNS:localhost", "IP:127.0.0.1"};
  request.rsa_bits = 2048;
  request.usage =
      "critical,digitalSignature,nonRepudiation,keyEncipherment,"
      "dataEncipherment";
  return request;
}

// Made once: RSA keys take their time.
inline const test::KeyPair& server_pair() {
  static const test::KeyPair pair = test::self_signed(rsa_request("Test server", kServerUri));
  return pair;
}
inline const test::KeyPair& client_pair() {
  static const test::KeyPair pair = test::self_signed(rsa_request("Test hub", kClientUri));
  return pair;
}
inline Keys keys_of(const test::KeyPair& pair) {
  const Secret key(pair.key);
  return read_keys(pair.certificate, &key, {"certificate", "", ""}).value();
}

// Adds variables below Objects: ns 1 is the server's own namespace, kNamespace
// the one after it.
class World {
 public:
  explicit World(UA_Server* server)
      : server_(server), index_(UA_Server_addNamespace(server, kNamespace)) {}

  template <typename T>
  void add(const char* name, T value, const UA_DataType& type) {
    UA_Variant variant;
    UA_Variant_setScalar(&variant, &value, &type);
    add_variant(name, variant, type, UA_VALUERANK_SCALAR);
  }
  template <typename T, std::size_t N>
  void add_list(const char* name, T (&values)[N], const UA_DataType& type) {
    UA_Variant variant;
    UA_Variant_setArray(&variant, values, N, &type);
    add_variant(name, variant, type, UA_VALUERANK_ONE_DIMENSION);
  }
  void add_variant(const std::string& name, const UA_Variant& variant, const UA_DataType& type,
                   UA_Int32 rank) {
    UA_VariableAttributes attributes = UA_VariableAttributes_default;
    attributes.value = variant;
    attributes.dataType = type.typeId;
    attributes.valueRank = rank;
    std::array<UA_UInt32, 2> any{};  // of any length
    attributes.arrayDimensions = any.data();
    attributes.arrayDimensionsSize = rank > 0 ? static_cast<std::size_t>(rank) : 0;
    attributes.displayName = {UA_STRING_NULL, borrow(name)};
    attributes.accessLevel = UA_ACCESSLEVELMASK_READ | UA_ACCESSLEVELMASK_WRITE |
                             UA_ACCESSLEVELMASK_STATUSWRITE | UA_ACCESSLEVELMASK_TIMESTAMPWRITE;
    UA_Server_addVariableNode(server_, id(name), UA_NODEID_NUMERIC(0, 85), UA_NODEID_NUMERIC(0, 47),
                              {index_, borrow(name)}, UA_NODEID_NUMERIC(0, 63), attributes, nullptr,
                              nullptr);
  }
  void add_all() {
    add("bool", UA_Boolean{true}, UA_TYPES[UA_TYPES_BOOLEAN]);
    add("sbyte", UA_SByte{-128}, UA_TYPES[UA_TYPES_SBYTE]);
    add("byte", UA_Byte{255}, UA_TYPES[UA_TYPES_BYTE]);
    add("int16", UA_Int16{-32768}, UA_TYPES[UA_TYPES_INT16]);
    add("uint16", UA_UInt16{65535}, UA_TYPES[UA_TYPES_UINT16]);
    add("int32", UA_Int32{-2147483647 - 1}, UA_TYPES[UA_TYPES_INT32]);
    add("uint32", UA_UInt32{4294967295U}, UA_TYPES[UA_TYPES_UINT32]);
    add("int64", UA_Int64{INT64_MIN}, UA_TYPES[UA_TYPES_INT64]);
    add("uint64", UA_UInt64{UINT64_MAX}, UA_TYPES[UA_TYPES_UINT64]);
    add("float", UA_Float{1.5F}, UA_TYPES[UA_TYPES_FLOAT]);
    add("double", UA_Double{0.1}, UA_TYPES[UA_TYPES_DOUBLE]);
    add("text", borrow("Füller"), UA_TYPES[UA_TYPES_STRING]);
    add("time", UA_DateTime{from_utc(parse_utc("2026-11-22T10:00:00.123Z").value())},
        UA_TYPES[UA_TYPES_DATETIME]);
    add("bytes", borrow("\x01\x02\xff"), UA_TYPES[UA_TYPES_BYTESTRING]);
    add("localized", UA_LocalizedText{borrow("de"), borrow("läuft")},
        UA_TYPES[UA_TYPES_LOCALIZEDTEXT]);
    add("range", UA_Range{0, 100}, UA_TYPES[UA_TYPES_RANGE]);
    UA_Int32 list[] = {1, 2, 3};
    add_list("list", list, UA_TYPES[UA_TYPES_INT32]);
    UA_Double matrix[] = {1, 2, 3, 4, 5, 6};
    UA_UInt32 dimensions[] = {2, 3};
    UA_Variant variant;
    UA_Variant_setArray(&variant, matrix, 6, &UA_TYPES[UA_TYPES_DOUBLE]);
    variant.arrayDimensions = dimensions;
    variant.arrayDimensionsSize = 2;
    add_variant("matrix", variant, UA_TYPES[UA_TYPES_DOUBLE], 2);
    add("counter", UA_UInt32{0}, UA_TYPES[UA_TYPES_UINT32]);
  }
  // A method of the Objects folder: sum = a + b.
  void add_method() {
    UA_Argument inputs[2];
    UA_Argument output;
    for (UA_Argument* each : {&inputs[0], &inputs[1], &output}) {
      UA_Argument_init(each);
      each->dataType = UA_TYPES[UA_TYPES_INT32].typeId;
      each->valueRank = UA_VALUERANK_SCALAR;
    }
    inputs[0].name = borrow("a");
    inputs[1].name = borrow("b");
    output.name = borrow("sum");
    output.dataType = UA_TYPES[UA_TYPES_INT64].typeId;
    UA_MethodAttributes attributes = UA_MethodAttributes_default;
    attributes.executable = attributes.userExecutable = true;
    UA_Server_addMethodNode(
        server_, id("add"), UA_NODEID_NUMERIC(0, 85), UA_NODEID_NUMERIC(0, 47),
        {index_, borrow("add")}, attributes,
        [](UA_Server*, const UA_NodeId*, void*, const UA_NodeId*, void*, const UA_NodeId*, void*,
           size_t, const UA_Variant* given, size_t, UA_Variant* result) -> UA_StatusCode {
          const UA_Int64 sum = UA_Int64{*static_cast<const UA_Int32*>(given[0].data)} +
                               *static_cast<const UA_Int32*>(given[1].data);
          return UA_Variant_setScalarCopy(result, &sum, &UA_TYPES[UA_TYPES_INT64]);
        },
        2, inputs, 1, &output, nullptr, nullptr);
  }
  template <typename T>
  UA_StatusCode set(const char* name, T value, const UA_DataType& type) {
    UA_Variant variant;
    UA_Variant_setScalar(&variant, &value, &type);
    return UA_Server_writeValue(server_, id(name), variant);
  }
  UA_NodeId id(std::string_view name) const {
    UA_NodeId made = UA_NODEID_NUMERIC(index_, 0);
    made.identifierType = UA_NODEIDTYPE_STRING;
    made.identifier.string = borrow(name);
    return made;
  }
  std::uint16_t index() const { return index_; }

 private:
  UA_Server* server_;
  std::uint16_t index_;
};

// A server with all of that.
struct TestServer {
  std::unique_ptr<simulator::Server> server;
  std::unique_ptr<World> world;

  explicit TestServer(simulator::ServerOptions options = {}) {
    options.application_uri = kServerUri;
    options.configure = [more = std::move(options.configure)](UA_ServerConfig& config) {
      config.queueSizeLimits.max = 100'000;
      if (more) more(config);
    };
    server = simulator::Server::start(std::move(options), [this](UA_Server* native) {
               world = std::make_unique<World>(native);
               world->add_all();
               world->add_method();
             }).value();
  }
  std::uint16_t port() const { return server->port(); }
};

// With certificate and user, and without insecure endpoints unless they are
// wanted.
inline simulator::ServerOptions secure_options() {
  const Keys keys = keys_of(server_pair());
  simulator::ServerOptions options;
  options.certificate = keys.certificate;
  options.key = keys.key;
  options.insecure = false;
  options.username = "operator";
  options.password = Secret("swordfish");
  // Sessions that tests abort stay until they expire.
  options.configure = [](UA_ServerConfig& config) {
    config.maxSessions = 2000;
    config.maxSecureChannels = 2000;
  };
  return options;
}

}  // namespace tributary::connectors::opcua
