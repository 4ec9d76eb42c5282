// Mail addresses (RFC 5321, section 4.1.2; RFC 5322, section 3.4), the part of them that people
// use. Pure.
#pragma once

#include <string>
#include <string_view>

#include "base/error.hpp"

namespace tributary::connectors::smtp {

struct Mailbox {
  std::string name;     // shown beside the address; may be empty
  std::string address;  // "shift@plant.example"
};

// "a@b" or "Name <a@b>". ASCII addresses of letters, digits and the usual marks; nothing in them
// can end a line, a header or a command. Error: `error_class` "invalid_address" with `pointer`.
Result<Mailbox> parse_mailbox(std::string_view text, ErrorClass error_class, std::string pointer);

}  // namespace tributary::connectors::smtp
