#include "base/secret.hpp"

#include <sodium.h>

#include <utility>

namespace tributary {

Secret& Secret::operator=(const Secret& other) {
  if (this != &other) {
    wipe();
    text_ = other.text_;
  }
  return *this;
}

// A short string lives inside the object, so moving it leaves a copy behind: wipe that one too.
Secret::Secret(Secret&& other) noexcept : text_(std::move(other.text_)) {
  other.wipe();
}

Secret& Secret::operator=(Secret&& other) noexcept {
  if (this != &other) {
    wipe();
    text_ = std::move(other.text_);
    other.wipe();
  }
  return *this;
}

Secret::~Secret() {
  wipe();
}

void Secret::wipe() noexcept {
  text_.resize(text_.capacity());  // never reallocates: the whole buffer is in reach
  sodium_memzero(text_.data(), text_.size());
  text_.clear();
}

bool operator==(const Secret& a, const Secret& b) {
  return a.text_.size() == b.text_.size() &&
         sodium_memcmp(a.text_.data(), b.text_.data(), a.text_.size()) == 0;
}

}  // namespace tributary
