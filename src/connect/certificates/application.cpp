#include "connect/certificates/application.hpp"

#include <fmt/format.h>

#include <fstream>
#include <iterator>

#include "net/self_signed.hpp"

namespace tributary::connect {
namespace {

constexpr int kTenYears = 3650;
constexpr int kKeyBits = 2048;  // the longest that every security policy takes is 4096

std::string read_text(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

}  // namespace

Result<std::shared_ptr<const Application>> own_application(const std::string& data_dir,
                                                           std::string_view node_id, UtcTime now) {
  net::SelfSigned request;
  request.names = fmt::format("URI:urn:tributary:{}", node_id);
  if (const auto host = net::host_name_entry(); !host.empty()) request.names += "," + host;
  request.usage =
      "critical,digitalSignature,nonRepudiation,keyEncipherment,dataEncipherment,keyCertSign";
  request.extended_usage = "clientAuth,serverAuth";
  request.days = kTenYears;
  request.rsa_bits = kKeyBits;
  const auto files = net::keep_self_signed(data_dir + "/application", request, now);
  TRIBUTARY_TRY(files);
  auto application = std::make_shared<Application>();
  application->certificate = read_text(files->certificate);
  application->key = Secret(read_text(files->key));
  return application;
}

}  // namespace tributary::connect
