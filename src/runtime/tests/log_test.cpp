#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "runtime/log_control.hpp"

namespace tributary::log {
namespace {

// A log of its own in a file.
class LogTest : public testing::Test {
 protected:
  LogTest() { start(Level::kWarning, path_); }
  ~LogTest() override {
    set_levels({Level::kError, {}});
    std::filesystem::remove(path_);
  }
  std::string logged() const {
    std::ifstream file(path_);
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
  }
  bool has(std::string_view message) const { return logged().find(message) != std::string::npos; }
  const std::string path_ =
      (std::filesystem::temp_directory_path() / ("tributary-log-" + std::to_string(::getpid())))
          .string();
};

TEST_F(LogTest, TheLevelDecidesWhatIsWrittenFromNowOn) {
  info("api", "too early");
  set_levels({Level::kInfo, {}});
  info("api", "wanted");
  debug("api", "still not wanted");
  EXPECT_FALSE(has("too early"));
  EXPECT_TRUE(has("wanted"));
  EXPECT_FALSE(has("still not"));
}

TEST_F(LogTest, AComponentMayHaveALevelOfItsOwn) {
  set_levels({Level::kWarning, {{"connect", Level::kDebug}, {"api", Level::kError}}});
  debug("connect", "detail of connect");
  debug("spool", "detail of spool");
  warning("api", "warning of api");
  warning("spool", "warning of spool");
  EXPECT_TRUE(has("detail of connect"));
  EXPECT_FALSE(has("detail of spool"));
  EXPECT_FALSE(has("warning of api"));
  EXPECT_TRUE(has("warning of spool"));
}

TEST_F(LogTest, EveryChangeIsANewVersion) {
  const std::int64_t before = levels().version;
  set_levels({Level::kError, {{"api", Level::kInfo}}});
  const Levels now = levels();
  EXPECT_EQ(now.version, before + 1);
  EXPECT_EQ(now.level, Level::kError);
  EXPECT_EQ(now.components.at("api"), Level::kInfo);
}

TEST_F(LogTest, TheNewestLinesAreKeptAndNoMore) {
  const std::size_t many = kMostLastLines + 10;
  for (std::size_t i = 0; i < many; ++i) warning("api", fmt::format("line {}.", i));
  info("api", "not wanted");
  const auto lines = last_lines();
  ASSERT_EQ(lines.size(), kMostLastLines);
  EXPECT_NE(lines.front().find("line 10."), std::string::npos) << lines.front();
  EXPECT_NE(lines.back().find(fmt::format("line {}.", many - 1)), std::string::npos);
  EXPECT_TRUE(lines.back().starts_with("{\"time\":")) << "as in the file";
  EXPECT_TRUE(lines.back().ends_with("}\n"));
}

}  // namespace
}  // namespace tributary::log
