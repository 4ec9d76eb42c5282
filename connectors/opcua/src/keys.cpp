#include "connectors/opcua/src/keys.hpp"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include <array>

#include "connectors/opcua/src/trust.hpp"
#include "net/certificate_x509.hpp"

namespace tributary::connectors::opcua {
namespace {

using net::KeyPointer;

constexpr int kFewestBits = 2048;

int no_passphrase(char* /*buffer*/, int /*size*/, int /*writing*/, void* /*user*/) {
  return -1;
}

template <typename T, typename Encode>
std::string to_der(T* object, Encode encode) {
  unsigned char* bytes = nullptr;
  const int size = encode(object, &bytes);
  std::string der;
  if (size > 0) der.assign(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size));
  if (size > 0) OPENSSL_clear_free(bytes, static_cast<std::size_t>(size));
  return der;
}

std::string thumbprint_of(X509* certificate) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  std::string text;
  if (X509_digest(certificate, EVP_sha1(), digest.data(), &size) != 1) return text;
  for (unsigned int i = 0; i < size; ++i) text += fmt::format("{:02X}", digest[i]);
  return text;
}

}  // namespace

Result<Keys> read_keys(std::string_view certificate, const Secret* key, const KeyNames& names) {
  const auto unusable = [](std::string code, std::string message, std::string hint,
                           std::string_view pointer) {
    return fail(ErrorClass::kConfiguration, std::move(code), std::move(message), std::move(hint),
                std::string(pointer));
  };
  const auto certificates = net::read_x509(certificate);
  if (certificates.empty()) {
    return unusable("certificate_invalid", fmt::format("The {} cannot be read", names.what),
                    "It must be PEM text: it begins with -----BEGIN CERTIFICATE-----.",
                    names.certificate_pointer);
  }
  if (key == nullptr || key->empty()) {
    return unusable("key_missing", fmt::format("The {} has no private key", names.what),
                    "Enter the key that belongs to the certificate.", names.key_pointer);
  }
  const net::BioPointer text = net::open_text(key->reveal());
  const KeyPointer pair(PEM_read_bio_PrivateKey(text.get(), nullptr, &no_passphrase, nullptr));
  ERR_clear_error();
  if (!pair || EVP_PKEY_get_base_id(pair.get()) != EVP_PKEY_RSA) {
    return unusable("key_invalid", fmt::format("The key of the {} cannot be used", names.what),
                    "It must be an RSA key as PEM text, without a passphrase.", names.key_pointer);
  }
  X509* const leaf = certificates.front().get();
  if (X509_check_private_key(leaf, pair.get()) != 1) {
    ERR_clear_error();
    return unusable("key_mismatch", fmt::format("The key does not belong to the {}", names.what),
                    "Enter the two that were made together.", names.key_pointer);
  }
  if (EVP_PKEY_get_bits(pair.get()) < kFewestBits) {
    return unusable("key_too_weak",
                    fmt::format("The key of the {} has {} bits; OPC UA wants at least {}",
                                names.what, EVP_PKEY_get_bits(pair.get()), kFewestBits),
                    "Make a new key.", names.key_pointer);
  }
  Keys keys;
  keys.certificate = to_der(leaf, &i2d_X509);
  keys.key = Secret(to_der(pair.get(), &i2d_PrivateKey));
  keys.application_uri = application_uri_of(leaf);
  keys.thumbprint = thumbprint_of(leaf);
  return keys;
}

}  // namespace tributary::connectors::opcua
