// The OpenSSL side of certificate.hpp, for the files of this folder and its users that hold an X509
// already.
#pragma once

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <memory>

#include "net/certificate.hpp"

namespace tributary::net {

template <auto Free>
struct OpensslFree {
  template <typename T>
  void operator()(T* object) const {
    Free(object);
  }
};
using X509Pointer = std::unique_ptr<X509, OpensslFree<X509_free>>;
using X509CrlPointer = std::unique_ptr<X509_CRL, OpensslFree<X509_CRL_free>>;
using KeyPointer = std::unique_ptr<EVP_PKEY, OpensslFree<EVP_PKEY_free>>;
using BioPointer = std::unique_ptr<BIO, OpensslFree<BIO_free_all>>;

BioPointer open_text(std::string_view text);  // refers to `text`, which outlives it
Certificate to_certificate(X509* x509);
// Empty when there is none that can be read.
std::vector<X509Pointer> read_x509(std::string_view pem);
// The newest reason of OpenSSL's error queue, which it empties.
std::string take_openssl_reason();

}  // namespace tributary::net
