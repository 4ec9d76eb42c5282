#include "connectors/opcua/simulator/server.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <open62541/plugin/accesscontrol_default.h>
#include <open62541/plugin/pki_default.h>
#include <open62541/server.h>
#include <open62541/server_config_default.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cstring>
#include <thread>

#include "connectors/opcua/src/ua.hpp"

namespace tributary::connectors::opcua::simulator {
namespace {

UA_Logger silent() {
  return {[](void*, UA_LogLevel, UA_LogCategory, const char*, va_list) {}, nullptr, nullptr};
}

std::uint16_t free_port(const std::string& host) {
  const int descriptor = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  ::inet_pton(AF_INET, host.c_str(), &address.sin_addr);
  socklen_t size = sizeof address;
  std::uint16_t port = 0;
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  if (::bind(descriptor, generic, size) == 0 && ::getsockname(descriptor, generic, &size) == 0)
    port = ntohs(address.sin_port);
  ::close(descriptor);
  return port;
}

UA_StatusCode set_policies(UA_ServerConfig& config, const ServerOptions& options) {
  if (options.certificate.empty())
    return UA_ServerConfig_setMinimal(&config, options.port, nullptr);
  const UA_ByteString certificate = borrow(options.certificate);
  const UA_ByteString key = borrow(options.key.reveal());
  std::vector<UA_ByteString> clients;
  for (const auto& client : options.clients) clients.push_back(borrow(client));
  const UA_StatusCode status = UA_ServerConfig_setDefaultWithSecurityPolicies(
      &config, options.port, &certificate, &key, clients.data(), clients.size(), nullptr, 0,
      nullptr, 0);
  if (status != UA_STATUSCODE_GOOD || !clients.empty()) return status;
  for (UA_CertificateVerification* trust : {&config.sessionPKI, &config.secureChannelPKI}) {
    trust->clear(trust);
    UA_CertificateVerification_AcceptAll(trust);
  }
  return status;
}

UA_StatusCode set_users(UA_ServerConfig& config, const ServerOptions& options) {
  const UA_UsernamePasswordLogin login{borrow(options.username), borrow(options.password.reveal())};
  const UA_ByteString policy =
      UA_STRING_STATIC("http://opcfoundation.org/UA/SecurityPolicy#Basic256Sha256");
  return UA_AccessControl_default(&config, options.anonymous,
                                  options.certificate.empty() ? nullptr : &policy,
                                  options.username.empty() ? 0 : 1, &login);
}

void set_names(UA_ServerConfig& config, const ServerOptions& options) {
  UA_ApplicationDescription& description = config.applicationDescription;
  UA_String_clear(&description.applicationUri);
  description.applicationUri = copy_of(options.application_uri);
  for (std::size_t i = 0; i < config.endpointsSize; ++i) {
    UA_String_clear(&config.endpoints[i].server.applicationUri);
    config.endpoints[i].server.applicationUri = copy_of(options.application_uri);
  }
  UA_Array_delete(config.serverUrls, config.serverUrlsSize, &UA_TYPES[UA_TYPES_STRING]);
  config.serverUrls = static_cast<UA_String*>(UA_Array_new(1, &UA_TYPES[UA_TYPES_STRING]));
  config.serverUrls[0] = copy_of(fmt::format("opc.tcp://{}:{}", options.host, options.port));
  config.serverUrlsSize = 1;
}

}  // namespace

struct Server::Impl {
  ServerOptions options;
  UA_Logger logger = silent();
  UA_Server* server = nullptr;
  std::atomic<bool> running{true};
  std::thread thread;

  ~Impl() {
    running = false;
    if (thread.joinable()) thread.join();
    if (server != nullptr) UA_Server_delete(server);
  }
};

Server::Server(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Server::~Server() = default;

Result<std::unique_ptr<Server>> Server::start(ServerOptions options,
                                              const std::function<void(UA_Server*)>& fill) {
  auto impl = std::make_unique<Impl>();
  if (options.port == 0) options.port = free_port(options.host);
  impl->options = std::move(options);
  UA_ServerConfig config;
  std::memset(&config, 0, sizeof config);
  config.logging = &impl->logger;
  UA_StatusCode status = set_policies(config, impl->options);
  if (status == UA_STATUSCODE_GOOD) status = set_users(config, impl->options);
  if (status == UA_STATUSCODE_GOOD) {
    set_names(config, impl->options);
    config.securityPolicyNoneDiscoveryOnly = !impl->options.insecure;
    if (impl->options.configure) impl->options.configure(config);
    impl->server = UA_Server_newWithConfig(&config);
  }
  if (impl->server == nullptr) {
    UA_ServerConfig_clean(&config);
    status = status == UA_STATUSCODE_GOOD ? UA_STATUSCODE_BADINTERNALERROR : status;
  } else {
    fill(impl->server);
    status = UA_Server_run_startup(impl->server);
  }
  if (status != UA_STATUSCODE_GOOD) {
    return fail(ErrorClass::kConfiguration, "cannot_listen",
                fmt::format("The OPC UA server cannot listen on {}:{}: {}", impl->options.host,
                            impl->options.port, UA_StatusCode_name(status)),
                "Is the port in use?", "/port");
  }
  impl->thread = std::thread([owner = impl.get()] {
    while (owner->running) UA_Server_run_iterate(owner->server, true);
    UA_Server_run_shutdown(owner->server);
  });
  return std::unique_ptr<Server>(new Server(std::move(impl)));
}

std::uint16_t Server::port() const {
  return impl_->options.port;
}

std::string Server::url() const {
  return fmt::format("opc.tcp://{}:{}", impl_->options.host, impl_->options.port);
}

UA_Server* Server::native() const {
  return impl_->server;
}

}  // namespace tributary::connectors::opcua::simulator
