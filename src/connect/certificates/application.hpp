// The certificate by which servers know this hub where both sides show one (OPC UA): its own, made
// once, because a person at each server has to accept it.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "base/secret.hpp"
#include "base/time.hpp"

namespace tributary::connect {

struct Application {
  std::string certificate;  // PEM
  Secret key;               // PEM
};

// DIR/application/certificate.pem and key.pem (0600): RSA with 2048 bits, for ten years, for the
// application urn:tributary:NODE. Made when they are absent or end within 30 days. Blocking. Errors
// as net::keep_self_signed.
Result<std::shared_ptr<const Application>> own_application(const std::string& data_dir,
                                                           std::string_view node_id, UtcTime now);

}  // namespace tributary::connect
