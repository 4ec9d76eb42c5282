#include "connectors/smtp/src/mime.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "http/encoding.hpp"

namespace tributary::connectors::smtp {
namespace {

constexpr std::size_t kLongestPlain = 60;  // of a header's value
constexpr std::size_t kBytesOfAWord = 42;  // 56 in base64; 75 with the frame are allowed
constexpr std::size_t kBase64Line = 76;

bool is_plain(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c >= 0x20 && c < 0x7F; }) &&
         !text.contains("=?");
}

// Line breaks and other control characters become blanks.
std::string in_one_line(std::string_view text) {
  std::string line(text);
  std::ranges::replace_if(
      line, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }, ' ');
  return line;
}

std::string base64_lines(std::string_view bytes) {
  const std::string text = http::to_base64(bytes);
  std::string lines;
  lines.reserve(text.size() + text.size() / kBase64Line * 2 + 2);
  for (std::size_t i = 0; i < text.size(); i += kBase64Line)
    lines.append(text, i, kBase64Line).append("\r\n");
  return lines;
}

std::string with_crlf(std::string_view text) {
  std::string lines;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\r' && i + 1 < text.size() && text[i + 1] == '\n') continue;
    if (text[i] == '\n' || text[i] == '\r') {
      lines += "\r\n";
    } else {
      lines += text[i];
    }
  }
  return lines;
}

// A name as a quoted text or in encoded words.
std::string encode_name(const std::string& name) {
  const std::string line = in_one_line(name);
  if (!is_plain(line) || line.size() > kLongestPlain) return encode_header(line);
  std::string quoted = "\"";
  for (const char c : line) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + '"';
}

std::string encode_mailbox(const Mailbox& mailbox) {
  if (mailbox.name.empty()) return mailbox.address;
  return fmt::format("{} <{}>", encode_name(mailbox.name), mailbox.address);
}

std::string encode_mailboxes(const std::vector<Mailbox>& mailboxes) {
  std::string all;
  for (const Mailbox& mailbox : mailboxes) {
    if (!all.empty()) all += ",\r\n ";
    all += encode_mailbox(mailbox);
  }
  return all;
}

// A part with its headers.
std::string text_part(std::string_view subtype, std::string_view text) {
  return fmt::format(
      "Content-Type: text/{}; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n{}",
      subtype, base64_lines(with_crlf(text)));
}

std::string attachment_part(const Attachment& attachment) {
  std::string plain = in_one_line(attachment.name);
  std::ranges::replace_if(
      plain,
      [](char c) {
        constexpr std::string_view kMarks = "._- ()";
        const bool kept = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                          (c >= '0' && c <= '9') || kMarks.contains(c);
        return !kept;
      },
      '_');
  return fmt::format(
      "Content-Type: {}\r\nContent-Transfer-Encoding: base64\r\n"
      "Content-Disposition: attachment;\r\n filename=\"{}\";\r\n filename*=UTF-8''{}\r\n\r\n{}",
      attachment.content_type, plain, http::percent_encode(in_one_line(attachment.name)),
      base64_lines(attachment.bytes));
}

// `=_` cannot stand in base64, and no part has other lines that begin with two hyphens.
std::string multipart(std::string_view subtype, const std::vector<std::string>& parts) {
  std::string all;
  for (const std::string& part : parts) all += part;
  const std::string boundary = "=_" + http::sha256_hex(all).substr(0, 32);
  std::string text =
      fmt::format("Content-Type: multipart/{};\r\n boundary=\"{}\"\r\n\r\n", subtype, boundary);
  for (const std::string& part : parts) text += fmt::format("--{}\r\n{}\r\n", boundary, part);
  return text + fmt::format("--{}--\r\n", boundary);
}

std::string content_of(const Letter& letter) {
  std::string body;
  if (letter.text && letter.html) {
    body = multipart("alternative",
                     {text_part("plain", *letter.text), text_part("html", *letter.html)});
  } else if (letter.html) {
    body = text_part("html", *letter.html);
  } else {
    body = text_part("plain", letter.text.value_or(""));
  }
  if (letter.attachments.empty()) return body;
  std::vector<std::string> parts{std::move(body)};
  for (const Attachment& attachment : letter.attachments)
    parts.push_back(attachment_part(attachment));
  return multipart("mixed", parts);
}

// Bytes of the UTF-8 character at `at`; 1 for what is none.
std::size_t character_at(std::string_view text, std::size_t at) {
  std::size_t size = 1;
  while (at + size < text.size() && (static_cast<unsigned char>(text[at + size]) & 0xC0U) == 0x80U)
    ++size;
  return size;
}

}  // namespace

std::string encode_header(std::string_view text) {
  const std::string line = in_one_line(text);
  if (is_plain(line) && line.size() <= kLongestPlain) return line;
  std::string words;
  std::size_t begin = 0;
  while (begin < line.size()) {
    std::size_t end = begin;
    while (end < line.size()) {
      const std::size_t next = end + character_at(line, end);
      if (next - begin > kBytesOfAWord && end > begin) break;
      end = next;
    }
    if (!words.empty()) words += "\r\n ";
    words +=
        "=?UTF-8?B?" + http::to_base64(std::string_view(line).substr(begin, end - begin)) + "?=";
    begin = end;
  }
  return words;
}

std::string format_date(UtcTime time) {
  constexpr std::array kDays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr std::array kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                  "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const std::tm parts = fmt::gmtime(std::chrono::system_clock::to_time_t(time));
  return fmt::format("{}, {:02} {} {} {:02}:{:02}:{:02} +0000",
                     kDays[static_cast<std::size_t>(parts.tm_wday)], parts.tm_mday,
                     kMonths[static_cast<std::size_t>(parts.tm_mon)], parts.tm_year + 1900,
                     parts.tm_hour, parts.tm_min, parts.tm_sec);
}

bool is_content_type(std::string_view text) {
  const auto slash = text.find('/');
  if (slash == 0 || slash == std::string_view::npos || slash + 1 == text.size()) return false;
  return std::ranges::all_of(text,
                             [](char c) {
                               constexpr std::string_view kMarks = "!#$&-^_.+/";
                               return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                                      (c >= '0' && c <= '9') || kMarks.contains(c);
                             }) &&
         std::ranges::count(text, '/') == 1;
}

std::string write_letter(const Letter& letter) {
  std::string text;
  const auto add = [&text](std::string_view name, std::string_view value) {
    text.append(name).append(": ").append(value).append("\r\n");
  };
  add("Date", format_date(letter.date));
  add("From", encode_mailbox(letter.from));
  add("To", encode_mailboxes(letter.to));
  if (!letter.cc.empty()) add("Cc", encode_mailboxes(letter.cc));
  if (letter.reply_to) add("Reply-To", encode_mailbox(*letter.reply_to));
  add("Subject", encode_header(letter.subject));
  add("Message-ID", "<" + letter.message_id + ">");
  add("Auto-Submitted", "auto-generated");
  add("MIME-Version", "1.0");
  return text + content_of(letter);
}

}  // namespace tributary::connectors::smtp
