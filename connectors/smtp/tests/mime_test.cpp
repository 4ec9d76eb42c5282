// Letters: whatever the texts hold, headers stay headers and texts stay texts (INJ7).
#include "connectors/smtp/src/mime.hpp"

#include <gtest/gtest.h>

#include <sstream>

#include "connectors/smtp/resources.hpp"
#include "connectors/smtp/src/letter.hpp"
#include "connectors/smtp/src/throttle.hpp"
#include "http/encoding.hpp"
#include "schema/schema.hpp"

namespace tributary::connectors::smtp {
namespace {

Mailbox box(std::string_view text) {
  return parse_mailbox(text, ErrorClass::kFunction, "").value();
}

Letter letter() {
  Letter made;
  made.from = box("Hub <hub@plant.example>");
  made.to = {box("shift@plant.example")};
  made.subject = "Alarm";
  made.text = "Hello";
  made.message_id = "id@plant.example";
  made.date = parse_utc("2026-11-26T10:00:00Z").value();
  return made;
}

// Names of the headers before the first empty line, and no line that is too long or has a bare CR
// or LF.
std::vector<std::string> header_names(const std::string& text) {
  std::vector<std::string> names;
  std::size_t begin = 0;
  while (begin < text.size()) {
    const auto end = text.find("\r\n", begin);
    const std::string line = text.substr(begin, end - begin);
    EXPECT_EQ(line.find_first_of("\r\n"), std::string::npos);
    EXPECT_LE(line.size(), 998U);
    if (line.empty()) break;
    if (line[0] != ' ') names.push_back(line.substr(0, line.find(':')));
    begin = end + 2;
  }
  return names;
}

const std::vector<std::string> kUsual = {
    "Date",         "From",         "To",
    "Subject",      "Message-ID",   "Auto-Submitted",
    "MIME-Version", "Content-Type", "Content-Transfer-Encoding"};

TEST(SmtpMime, a_letter_has_the_headers_that_it_should_have) {
  const std::string text = write_letter(letter());
  EXPECT_EQ(header_names(text), kUsual);
  EXPECT_TRUE(text.starts_with("Date: Thu, 26 Nov 2026 10:00:00 +0000\r\n")) << text;
  EXPECT_TRUE(text.contains("From: \"Hub\" <hub@plant.example>\r\n")) << text;
  EXPECT_TRUE(text.ends_with("\r\n\r\nSGVsbG8=\r\n")) << text;
}

TEST(SmtpMime, INJ7_no_text_becomes_a_header_or_a_command) {
  for (const std::string& evil :
       {std::string("x\r\nBcc: evil@example.com"), std::string("x\nX-Evil: 1"),
        std::string("x\r\n\r\nbody"), std::string("x\r\n.\r\nMAIL FROM:<evil@example.com>"),
        std::string("x\0y", 3), std::string("=?UTF-8?B?WA==?="), std::string(5000, 'x'),
        std::string(5000, '\n'), std::string("\x1b[31m"),
        std::string("çalışma durdu: makine 3, hat 7, lütfen bakınız ve onaylayınız")}) {
    Letter made = letter();
    made.subject = evil;
    made.from.name = evil;
    made.text = evil;
    const std::string text = write_letter(made);
    EXPECT_EQ(header_names(text), kUsual) << text;
    EXPECT_EQ(text.find("\r\n.\r\n"), std::string::npos);
    made.attachments = {{evil, "text/plain", evil}};
    const std::string with_file = write_letter(made);
    EXPECT_EQ(header_names(with_file).back(), "Content-Type");
    EXPECT_EQ(with_file.find("\nX-Evil"), std::string::npos);
    EXPECT_EQ(with_file.find("\nBcc"), std::string::npos);
  }
}

TEST(SmtpMime, addresses_hold_nothing_but_an_address) {
  EXPECT_EQ(box("shift@plant.example").address, "shift@plant.example");
  EXPECT_EQ(box(" Shift leader <a.b+c@plant.example> ").name, "Shift leader");
  EXPECT_EQ(box("\"A, B\" <a@b.c>").name, "A, B");
  EXPECT_EQ(box("<a@b>").address, "a@b");
  for (const std::string& wrong : {std::string("a@b\r\nRCPT TO:<x@y>"),
                                   std::string("a@b>\r\nDATA"),
                                   std::string("a b@c"),
                                   std::string("@b"),
                                   std::string("a@"),
                                   std::string("a"),
                                   std::string(""),
                                   std::string("a@b, c@d"),
                                   std::string("<a@b> SIZE=1"),
                                   std::string("a@b\n"),
                                   std::string("a@-b"),
                                   std::string("a..b@c"),
                                   std::string("a@b..c"),
                                   std::string("ü@b"),
                                   std::string("a@b\0", 4),
                                   std::string("\"a b\"@c"),
                                   std::string("N\r\nBcc: x <a@b>"),
                                   std::string(70, 'x') + "@b",
                                   "a@" + std::string(260, 'b'),
                                   std::string("<a@b")}) {
    const auto read = parse_mailbox(wrong, ErrorClass::kFunction, "/settings/to/0");
    ASSERT_FALSE(read) << wrong;
    EXPECT_EQ(read.error().code, "invalid_address");
    EXPECT_EQ(read.error().message.find_first_of("\r\n"), std::string::npos);
  }
}

TEST(SmtpMime, long_and_foreign_headers_are_encoded_words_of_whole_characters) {
  const std::string subject =
      "Dolum hattı 3 durdu: sıcaklık çok yüksek — şişe sıkışması, 日本語 😀 ve daha fazlası";
  const std::string encoded = encode_header(subject);
  std::string decoded;
  std::istringstream lines(encoded);
  for (std::string word; lines >> word;) {
    ASSERT_TRUE(word.starts_with("=?UTF-8?B?") && word.ends_with("?=")) << word;
    EXPECT_LE(word.size(), 75U);
    const auto part = http::from_base64(word.substr(10, word.size() - 12));
    ASSERT_TRUE(part);
    EXPECT_TRUE(http::is_utf8(*part)) << "a character was cut";
    decoded += *part;
  }
  EXPECT_EQ(decoded, subject);
}

SendSettings settings(const std::string& text) {
  const Json document = parse_json(resources().function_schemas[0]).value();
  return SendSettings::from_json(
      schema::Schema::compile(document).value().with_defaults(parse_json(text).value()));
}

TEST(SmtpLetter, INJ5_values_in_html_cannot_become_markup) {
  const auto made = make_letter(
      settings(R"j({"to":["a@b"],"html":"<p title='((v))'>((v)) ((n))</p>"})j"),
      box("hub@plant.example"), parse_json(R"j({"v":"<script>'x'\"&","n":5})j").value());
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_EQ(
      *made->html,
      "<p title='&lt;script&gt;&#39;x&#39;&quot;&amp;'>&lt;script&gt;&#39;x&#39;&quot;&amp; 5</p>");
  EXPECT_EQ(
      make_letter(settings(R"j({"to":["a@b"],"html":"((gone))"})j"), box("a@b"), json_object())
          .error()
          .code,
      "missing_parameter");
}

TEST(SmtpLetter, a_letter_without_a_text_holds_the_payload) {
  const auto made = make_letter(settings(R"({"to":["a@b"]})"), box("a@b"),
                                parse_json(R"({"payload":{"speed":1}})").value());
  EXPECT_EQ(made.value().text, R"({"speed":1})");
  EXPECT_EQ(make_letter(settings(R"({"to":["a@b"]})"), box("a@b"), json_object()).error().code,
            "missing_text");
}

TEST(SmtpLetter, attachments_are_bytes_texts_or_documents) {
  const auto made = make_letter(
      settings(R"({"to":["a@b"],"text":"t","attachments":[{"name":"a.bin","content":"AAEC"},
        {"name":"b.txt","content":"plain","encoding":"text"},{"name":"c.json","content":{"a":1}}]})"),
      box("a@b"), json_object());
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_EQ(made->attachments[0].bytes, std::string("\0\1\2", 3));
  EXPECT_EQ(made->attachments[1].bytes, "plain");
  EXPECT_EQ(made->attachments[2].bytes, R"({"a":1})");
  for (const char* wrong : {R"({"name":"a","content":"%%"})", R"({"name":"a","content":null})",
                            R"({"name":"a","content":"","contentType":"a/b\r\nX: y"})"}) {
    const auto refused = make_letter(
        settings(fmt::format(R"({{"to":["a@b"],"text":"t","attachments":[{}]}})", wrong)),
        box("a@b"), json_object());
    ASSERT_FALSE(refused) << wrong;
    EXPECT_EQ(refused.error().code, "invalid_attachment");
  }
}

TEST(SmtpLetter, a_repeat_of_one_record_has_the_same_id_and_another_record_another) {
  const SendOperation operation(settings(R"({"to":["a@b"],"text":"t"})"), "settings");
  const auto id = [&](const char* parameters) {
    return stable_id("connection", operation, parse_json(parameters).value());
  };
  const char* first = R"({"payload":{"a":1,"$meta":{"time":"1"}}})";
  EXPECT_TRUE(id(first));
  EXPECT_EQ(id(first), id(first));
  EXPECT_NE(id(first), id(R"({"payload":{"a":1,"$meta":{"time":"2"}}})"));
  EXPECT_EQ(id(R"({"payload":{"a":1}})"), std::nullopt) << "two events may read the same";
}

TEST(SmtpThrottle, a_minute_has_so_many_places) {
  Throttle throttle;
  const SteadyTime start{std::chrono::hours{1}};
  EXPECT_FALSE(throttle.take("a", 2, start));
  EXPECT_FALSE(throttle.take("a", 2, start + std::chrono::seconds{20}));
  const auto wait = throttle.take("a", 2, start + std::chrono::seconds{30});
  ASSERT_TRUE(wait);
  EXPECT_EQ(*wait, std::chrono::seconds{30});
  EXPECT_FALSE(throttle.take("b", 2, start + std::chrono::seconds{30})) << "another connection";
  EXPECT_FALSE(throttle.take("a", 2, start + std::chrono::seconds{60}));
  EXPECT_FALSE(throttle.take("a", 0, start));
}

}  // namespace
}  // namespace tributary::connectors::smtp
