// A certificate with its key, as OPC UA wants them: DER, RSA.
#pragma once

#include <string>
#include <string_view>

#include "base/error.hpp"
#include "base/secret.hpp"

namespace tributary::connectors::opcua {

struct Keys {
  std::string certificate;      // DER, the leaf
  Secret key;                   // DER
  std::string application_uri;  // of the certificate; empty when it holds none
  std::string thumbprint;       // SHA-1, as OPC UA tools show it: "AB12…"
};

// The settings that errors point at, and how messages call the two.
struct KeyNames {
  std::string_view what;  // "application certificate"
  std::string_view certificate_pointer;
  std::string_view key_pointer;
};

// PEM texts. Errors, kConfiguration: "certificate_invalid", "key_missing", "key_invalid",
// "key_mismatch", "key_too_weak" (RSA below 2048 bits).
Result<Keys> read_keys(std::string_view certificate, const Secret* key, const KeyNames& names);

}  // namespace tributary::connectors::opcua
