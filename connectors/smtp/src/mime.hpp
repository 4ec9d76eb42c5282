// A mail as it travels (RFC 5322, 2045 to 2047, 2231). Whatever the texts hold, they stay what they
// are: header values are one line or encoded, bodies and files travel in base64. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/time.hpp"
#include "connectors/smtp/src/address.hpp"

namespace tributary::connectors::smtp {

struct Attachment {
  std::string name;
  std::string content_type;  // "application/pdf"
  std::string bytes;
};

struct Letter {
  Mailbox from;
  std::vector<Mailbox> to;
  std::vector<Mailbox> cc;
  std::vector<Mailbox> bcc;  // named nowhere in the text
  std::optional<Mailbox> reply_to;
  std::string subject;
  std::optional<std::string> text;
  std::optional<std::string> html;
  std::vector<Attachment> attachments;
  std::string message_id;  // without the brackets
  UtcTime date;
};

// Lines end with CRLF and have at most 998 bytes.
std::string write_letter(const Letter& letter);

// The value of a header: as it is when it is short and plain ASCII, else in encoded words, folded.
std::string encode_header(std::string_view text);
// "Thu, 26 Nov 2026 10:00:00 +0000"
std::string format_date(UtcTime time);
// "type/subtype" of letters, digits and marks.
bool is_content_type(std::string_view text);

}  // namespace tributary::connectors::smtp
