#include "http/encoding.hpp"

#include <gtest/gtest.h>

namespace tributary::http {
namespace {

TEST(Encoding, EveryByteSurvivesAPercentEncodingAndABase64) {
  std::string all;
  for (int i = 0; i < 256; ++i) all += static_cast<char>(i);
  EXPECT_EQ(percent_decode(percent_encode(all)), all);
  EXPECT_EQ(from_base64(to_base64(all)), all);
  EXPECT_EQ(percent_encode("a b/ç"), "a%20b%2F%C3%A7");
  EXPECT_EQ(form_encode("a b&c"), "a+b%26c");
  EXPECT_EQ(percent_decode("%4"), std::nullopt);
  EXPECT_EQ(percent_decode("%zz"), std::nullopt);
  EXPECT_EQ(from_base64("a-b"), std::nullopt);
}

TEST(Encoding, HtmlHasNoMarkupLeft) {
  EXPECT_EQ(html_escape("<a href=\"x\">'&'</a>"),
            "&lt;a href=&quot;x&quot;&gt;&#39;&amp;&#39;&lt;/a&gt;");
}

TEST(Encoding, OnlyWellFormedTextIsUtf8) {
  for (const char* good : {"", "a", "ç", "€", "😀"}) EXPECT_TRUE(is_utf8(good)) << good;
  for (const char* bad : {"\xff", "\xc3", "\xc0\x80", "\xe0\x80\x80", "\xed\xa0\x80",
                          "\xf4\x90\x80\x80", "\x80", "\xf8\x88\x80\x80\x80"})
    EXPECT_FALSE(is_utf8(bad));
  EXPECT_EQ(from_latin1("\xe7"), "ç");
}

TEST(Encoding, INJ7AnExcerptIsOneCleanLine) {
  EXPECT_EQ(excerpt("a\r\nb\x1b[31m\tc"), "a b [31m c");
  EXPECT_EQ(excerpt("\xc2\x9b"
                    "31m\xff"
                    "x"),
            "31m x");
  EXPECT_EQ(excerpt("çççç", 4), "çç…");
}

TEST(Encoding, HashesAreKnown) {
  EXPECT_EQ(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

}  // namespace
}  // namespace tributary::http
