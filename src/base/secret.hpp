// Text that must not be seen: wiped when it goes, never formatted, never compared byte by byte.
#pragma once

#include <string>
#include <string_view>

namespace tributary {

class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string_view text) : text_(text) {}
  Secret(const Secret&) = default;
  Secret& operator=(const Secret& other);
  Secret(Secret&& other) noexcept;
  Secret& operator=(Secret&& other) noexcept;
  ~Secret();

  // The text itself. Pass it on at once; do not store or log it.
  std::string_view reveal() const { return text_; }
  bool empty() const { return text_.empty(); }
  // Time does not depend on the content.
  friend bool operator==(const Secret& a, const Secret& b);

 private:
  void wipe() noexcept;
  std::string text_;
};

}  // namespace tributary
