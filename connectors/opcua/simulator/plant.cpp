#include "connectors/opcua/simulator/plant.hpp"

#include <open62541/server.h>

#include <fstream>
#include <iterator>

#include "connectors/opcua/src/keys.hpp"
#include "connectors/opcua/src/ua.hpp"
#include "net/certificate.hpp"
#include "net/self_signed.hpp"

namespace tributary::connectors::opcua::simulator {
namespace {

constexpr const char* kApplication = "urn:tributary:simulated-plant";
constexpr const char* kSetpoint = "Filler.SpeedSetpoint";

std::string read_text(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

UA_NodeId node(std::uint16_t index, std::string_view name) {
  UA_NodeId id = UA_NODEID_NUMERIC(index, 0);
  id.identifierType = UA_NODEIDTYPE_STRING;
  id.identifier.string = borrow(name);
  return id;
}

template <typename T>
UA_Variant scalar(T& value, const UA_DataType& type) {
  UA_Variant variant;
  UA_Variant_setScalar(&variant, &value, &type);
  return variant;
}

void add_variable(UA_Server* server, std::uint16_t index, std::string_view name, UA_Variant value,
                  bool writable) {
  UA_VariableAttributes attributes = UA_VariableAttributes_default;
  attributes.value = value;
  attributes.dataType = value.type->typeId;
  attributes.valueRank = UA_VALUERANK_SCALAR;
  const std::string_view shown = name.substr(name.find('.') + 1);
  attributes.displayName = {UA_STRING_NULL, borrow(shown)};
  attributes.accessLevel =
      static_cast<UA_Byte>(UA_ACCESSLEVELMASK_READ | (writable ? UA_ACCESSLEVELMASK_WRITE : 0));
  UA_Server_addVariableNode(server, node(index, name), node(index, "Filler"),
                            UA_NODEID_NUMERIC(0, UA_NS0ID_HASCOMPONENT), {index, borrow(shown)},
                            UA_NODEID_NUMERIC(0, UA_NS0ID_BASEDATAVARIABLETYPE), attributes,
                            nullptr, nullptr);
}

template <typename T>
void set(UA_Server* server, std::uint16_t index, std::string_view name, T value,
         const UA_DataType& type) {
  UA_Server_writeValue(server, node(index, name), scalar(value, type));
}

}  // namespace

PlantServer::~PlantServer() = default;

void PlantServer::add_nodes(UA_Server* server) {
  index_ = UA_Server_addNamespace(server, kPlantNamespace);
  UA_ObjectAttributes filler = UA_ObjectAttributes_default;
  filler.displayName = {UA_STRING_NULL, borrow("Filler")};
  UA_Server_addObjectNode(server, node(index_, "Filler"),
                          UA_NODEID_NUMERIC(0, UA_NS0ID_OBJECTSFOLDER),
                          UA_NODEID_NUMERIC(0, UA_NS0ID_ORGANIZES), {index_, borrow("Filler")},
                          UA_NODEID_NUMERIC(0, UA_NS0ID_BASEOBJECTTYPE), filler, nullptr, nullptr);
  PlantHistory::add_nodes(server);
  const auto add = [&](std::string_view name, auto value, const UA_DataType& type) {
    add_variable(server, index_, name, scalar(value, type), name == kSetpoint);
    history_.keep(server, node(index_, name), type);
  };
  add("Filler.Speed", UA_Double{0}, UA_TYPES[UA_TYPES_DOUBLE]);
  add(kSetpoint, UA_UInt16{setpoint_}, UA_TYPES[UA_TYPES_UINT16]);
  add("Filler.Bottles", UA_UInt32{0}, UA_TYPES[UA_TYPES_UINT32]);
  add("Filler.Rejects", UA_UInt32{0}, UA_TYPES[UA_TYPES_UINT32]);
  add("Filler.State", UA_Int32{0}, UA_TYPES[UA_TYPES_INT32]);
  add("Filler.Temperature", UA_Double{0}, UA_TYPES[UA_TYPES_DOUBLE]);
  add("Filler.TankLevel", UA_Double{0}, UA_TYPES[UA_TYPES_DOUBLE]);
  add_methods(server);
  alarms_.add_nodes(server, index_, node(index_, "Filler"), "Filler");
}

void PlantServer::note(PlantCommand command) {
  // Nobody takes them: the plant stands still.
  constexpr std::size_t kMostCommands = 100;
  const std::lock_guard lock(mutex_);
  if (commands_.size() < kMostCommands) commands_.push_back(command);
}

std::vector<PlantCommand> PlantServer::take_commands() {
  const std::lock_guard lock(mutex_);
  return std::exchange(commands_, {});
}

// As the library calls a method.
template <PlantCommand::What what>
std::uint32_t PlantServer::command(UA_Server*, const UA_NodeId*, void*, const UA_NodeId*,
                                   void* self, const UA_NodeId*, void*, std::size_t inputs,
                                   const UA_Variant* input, std::size_t, UA_Variant*) {
  constexpr UA_UInt16 kRecipes = 4;
  const auto recipe = inputs > 0 ? *static_cast<const UA_UInt16*>(input[0].data) : UA_UInt16{1};
  if (recipe < 1 || recipe > kRecipes) return UA_STATUSCODE_BADOUTOFRANGE;
  static_cast<PlantServer*>(self)->note({what, recipe});
  return UA_STATUSCODE_GOOD;
}

void PlantServer::add_methods(UA_Server* server) {
  UA_Argument recipe;
  UA_Argument_init(&recipe);
  recipe.name = borrow("recipe");
  recipe.description = {UA_STRING_NULL, borrow("1 to 4")};
  recipe.dataType = UA_TYPES[UA_TYPES_UINT16].typeId;
  recipe.valueRank = UA_VALUERANK_SCALAR;
  const auto add = [&](std::string_view name, UA_MethodCallback callback, bool wants_recipe) {
    UA_MethodAttributes attributes = UA_MethodAttributes_default;
    attributes.executable = attributes.userExecutable = true;
    const std::string_view shown = name.substr(name.find('.') + 1);
    attributes.displayName = {UA_STRING_NULL, borrow(shown)};
    UA_Server_addMethodNode(server, node(index_, name), node(index_, "Filler"),
                            UA_NODEID_NUMERIC(0, UA_NS0ID_HASCOMPONENT), {index_, borrow(shown)},
                            attributes, callback, wants_recipe ? 1 : 0, &recipe, 0, nullptr, this,
                            nullptr);
  };
  add("Filler.Start", command<PlantCommand::What::kStart>, false);
  add("Filler.Stop", command<PlantCommand::What::kStop>, false);
  add("Filler.Reset", command<PlantCommand::What::kReset>, false);
  add("Filler.LoadRecipe", command<PlantCommand::What::kLoadRecipe>, true);
}

Result<std::unique_ptr<PlantServer>> PlantServer::start(const std::string& host, std::uint16_t port,
                                                        const std::string& folder) {
  net::SelfSigned request;
  request.names = std::string("URI:") + kApplication + ",DNS:localhost,IP:127.0.0.1";
  if (const auto name = net::host_name_entry(); !name.empty()) request.names += "," + name;
  request.usage =
      "critical,digitalSignature,nonRepudiation,keyEncipherment,dataEncipherment,keyCertSign";
  request.extended_usage = "serverAuth";
  constexpr int kKeyBits = 2048;
  request.rsa_bits = kKeyBits;
  const auto files = net::keep_self_signed(folder, request, SystemClock().utc_now());
  TRIBUTARY_TRY(files);
  const std::string certificate = read_text(files->certificate);
  const Secret key(read_text(files->key));
  const auto keys = read_keys(certificate, &key, {"plant's certificate", "", ""});
  TRIBUTARY_TRY(keys);
  const auto parsed = net::read_certificates(certificate, "The plant's certificate");
  TRIBUTARY_TRY(parsed);
  ServerOptions options;
  options.host = host;
  options.port = port;
  options.application_uri = kApplication;
  options.certificate = keys->certificate;
  options.key = keys->key;
  std::unique_ptr<PlantServer> plant(new PlantServer);
  plant->fingerprint_ = net::fingerprint_text(parsed->front().sha256);
  options.configure = [&plant](UA_ServerConfig& config) { plant->history_.configure(config); };
  auto server =
      Server::start(std::move(options), [&plant](UA_Server* native) { plant->add_nodes(native); });
  TRIBUTARY_TRY(server);
  plant->server_ = *std::move(server);
  return plant;
}

void PlantServer::show(const PlantValues& values) {
  UA_Server* const native = server_->native();
  set(native, index_, "Filler.Speed", UA_Double{values.speed}, UA_TYPES[UA_TYPES_DOUBLE]);
  // What a client has written meanwhile stays until it is taken.
  if (std::exchange(setpoint_, values.setpoint) != values.setpoint)
    set(native, index_, kSetpoint, UA_UInt16{setpoint_}, UA_TYPES[UA_TYPES_UINT16]);
  set(native, index_, "Filler.Bottles", UA_UInt32{values.bottles}, UA_TYPES[UA_TYPES_UINT32]);
  set(native, index_, "Filler.Rejects", UA_UInt32{values.rejects}, UA_TYPES[UA_TYPES_UINT32]);
  set(native, index_, "Filler.State", UA_Int32{values.state}, UA_TYPES[UA_TYPES_INT32]);
  set(native, index_, "Filler.Temperature", UA_Double{values.temperature},
      UA_TYPES[UA_TYPES_DOUBLE]);
  set(native, index_, "Filler.TankLevel", UA_Double{values.tank_level}, UA_TYPES[UA_TYPES_DOUBLE]);
  alarms_.show(values.alarms);
  const UtcTime now = to_utc(UA_DateTime_now());
  if (now - recorded_ >= std::chrono::seconds(1)) record(values, now);
}

void PlantServer::record(const PlantValues& values, UtcTime time) {
  recorded_ = time;
  const UA_DateTime at = from_utc(time);
  history_.add("Filler.Speed", at, values.speed);
  history_.add(kSetpoint, at, values.setpoint);
  history_.add("Filler.Bottles", at, values.bottles);
  history_.add("Filler.Rejects", at, values.rejects);
  history_.add("Filler.State", at, values.state);
  history_.add("Filler.Temperature", at, values.temperature);
  history_.add("Filler.TankLevel", at, values.tank_level);
}

std::optional<std::uint16_t> PlantServer::take_setpoint() {
  Owned<UA_Variant> value;
  UA_Server_readValue(server_->native(), node(index_, kSetpoint), &*value);
  if (!UA_Variant_hasScalarType(&*value, &UA_TYPES[UA_TYPES_UINT16])) return std::nullopt;
  const std::uint16_t now = *static_cast<const UA_UInt16*>(value->data);
  if (std::exchange(setpoint_, now) == now) return std::nullopt;
  return now;
}

}  // namespace tributary::connectors::opcua::simulator
