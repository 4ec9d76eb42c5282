#include "app/arguments.hpp"

namespace tributary::app {
namespace {

constexpr Option kOptions[] = {
    {"--name", "TEXT", "A name."}, {"--count", "N", "A number."}, {"--force", "", "A flag."}};

Result<Arguments> parse(std::vector<std::string> arguments) {
  return Arguments::parse(arguments, kOptions, 1);
}

TEST(Arguments, TakeValuesBothWays) {
  auto parsed = parse({"create", "--name", "a b", "--count=7", "--force"});
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->words(), std::vector<std::string>{"create"});
  EXPECT_EQ(parsed->get("--name"), "a b");
  EXPECT_EQ(parsed->number("--count", 0, 0, 10), 7);
  EXPECT_TRUE(parsed->has("--force"));
}

TEST(Arguments, KeepEveryValueOfARepeatedOption) {
  EXPECT_EQ(parse({"--name", "a", "--name", "b"})->all("--name"),
            (std::vector<std::string>{"a", "b"}));
}

TEST(Arguments, RefuseWhatTheyDoNotKnow) {
  for (const auto& wrong : std::vector<std::vector<std::string>>{
           {"--nmae", "a"}, {"--name"}, {"--force=yes"}, {"one", "two"}}) {
    auto parsed = parse(wrong);
    ASSERT_FALSE(parsed) << wrong.front();
    EXPECT_EQ(parsed.error().code, "usage");
  }
}

TEST(Arguments, NumbersStayWithinTheirBounds) {
  for (const char* wrong : {"11", "-1", "x", "1.5", ""}) {
    EXPECT_FALSE(parse({"--count", wrong})->number("--count", 0, 0, 10)) << wrong;
  }
}

TEST(HostPort, IsReadWithNamesAndAddresses) {
  EXPECT_EQ(parse_host_port("127.0.0.1:8443")->port, 8443);
  EXPECT_EQ(parse_host_port("[::1]:0")->host, "::1");
  for (const char* wrong : {"nonsense", ":80", "host:", "host:70000", "host:80x", "[]:80"}) {
    EXPECT_FALSE(parse_host_port(wrong)) << wrong;
  }
}

}  // namespace
}  // namespace tributary::app
