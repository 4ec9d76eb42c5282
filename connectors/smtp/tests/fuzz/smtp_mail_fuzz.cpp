// Letters made of whatever texts: the headers stay those that were written, and every line is one.
#include <cstdint>
#include <cstdlib>

#include "connectors/smtp/src/mime.hpp"

using namespace tributary;
using namespace tributary::connectors::smtp;

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

std::size_t headers_of(const std::string& text) {
  std::size_t headers = 0;
  std::size_t begin = 0;
  while (true) {
    const auto end = text.find("\r\n", begin);
    require(end != std::string::npos);
    const std::string_view line(text.data() + begin, end - begin);
    require(line.size() <= 998 && line.find_first_of("\r\n") == std::string_view::npos);
    if (line.empty()) return headers;
    headers += line.front() == ' ' ? 0 : 1;
    begin = end + 2;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  const auto mailbox = parse_mailbox(text, ErrorClass::kFunction, "");
  if (mailbox) require(mailbox->address.find_first_of(" <>\r\n") == std::string::npos);
  Letter letter;
  letter.from = letter.reply_to.emplace(mailbox.value_or(Mailbox{"", "a@b"}));
  letter.from.name = text;
  letter.to = {letter.from};
  letter.subject = text;
  letter.text = text;
  letter.message_id = "id@b";
  require(headers_of(write_letter(letter)) == 10);
  letter.html = text;
  letter.attachments = {{text, "text/plain", text}};
  const std::string mail = write_letter(letter);
  require(headers_of(mail) == 9);
  require(mail.find("\r\n.\r\n") == std::string::npos);
  return 0;
}
