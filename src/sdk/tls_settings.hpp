// The setting `tls` that connectors have in common ({ca, clientCertificate, serverName,
// minimumVersion, verify} and the secret clientKey) as options for net::TlsClient and
// http::Channel.
#pragma once

#include <string>

#include "net/tls.hpp"
#include "sdk/connector.hpp"

namespace tributary::sdk {

// `tls` is the generated struct of a connector's settings; `host` what is connected to.
template <typename TlsSettings>
net::TlsOptions tls_options(const TlsSettings& tls, const std::string& host,
                            const Profile& profile) {
  using MinimumVersion = decltype(tls.minimum_version);
  net::TlsOptions options;
  options.ca = tls.ca.value_or("");
  options.client_certificate = tls.client_certificate.value_or("");
  if (const Secret* key = profile.secret("clientKey")) options.client_key = *key;
  options.server_name = tls.server_name.value_or(host);
  options.minimum =
      tls.minimum_version == MinimumVersion::k1_3 ? net::TlsVersion::k1_3 : net::TlsVersion::k1_2;
  options.verify = tls.verify;
  options.trusted = profile.trusted_certificates;
  return options;
}

}  // namespace tributary::sdk
