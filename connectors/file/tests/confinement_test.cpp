// I1: whatever a path holds and whoever moves things about, nothing beyond the root is touched.
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <thread>

#include "connectors/file/tests/fixture.hpp"

namespace tributary::connectors::file {
namespace {

class Confinement : public FileTest {
 protected:
  Confinement() {
    fs::create_directory(directory_.path() / "outside");
    std::ofstream(directory_.path() / "outside/secret.jsonl") << kSecret;
  }
  void expect_refused(const std::string& path) {
    Json settings = json_object();
    settings.insert_or_assign("path", "((p))");
    expect_refused(settings, path);
  }
  void expect_refused(const Json& settings, const std::string& value) {
    Json parameters = json(R"({"records":[{"evil":true}]})");
    parameters.insert_or_assign("p", value);
    for (const std::string type : {"file.read", "file.write"}) {
      const auto done = call(*session_, type, settings, parameters);
      ASSERT_FALSE(done) << type << ' ' << value;
      EXPECT_EQ(done.error().error_class, ErrorClass::kFunction) << value << done.error().message;
    }
    EXPECT_EQ(text_of(directory_.path() / "outside/secret.jsonl"), kSecret);
  }
  Json fixed(const std::string& path) const {
    Json settings = json_object();
    settings.insert_or_assign("path", path);
    return settings;
  }
  static constexpr const char* kSecret = "{\"secret\":1}\n";
  std::unique_ptr<sdk::Session> session_ = connect();
};

TEST_F(Confinement, i1_values_cannot_leave_the_part_where_they_stand) {
  for (const std::string& value :
       {std::string("../outside/secret.jsonl"), std::string(".."), std::string("."),
        std::string("/etc/passwd"), std::string("a/b"), std::string("a\0b", 3), std::string("a\nb"),
        std::string(300, 'x'), std::string(""), std::string("\x7f"), std::string(2000, 'y')})
    expect_refused(value);
  for (const char* value : {"null", "[]", "{}"}) {
    const auto done =
        call(*session_, "file.read", fixed("((p))"), json(fmt::format(R"({{"p":{}}})", value)));
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code, "missing_parameter");
  }
}

TEST_F(Confinement, i1_links_are_not_followed_wherever_they_stand) {
  fs::create_symlink(directory_.path() / "outside/secret.jsonl", root() / "link.jsonl");
  fs::create_symlink(directory_.path() / "outside", root() / "folder");
  fs::create_symlink("../outside", root() / "relative");
  fs::create_symlink("/proc/self/root", root() / "magic");
  put("inside.jsonl", "{}\n");
  fs::create_symlink("inside.jsonl", root() / "own.jsonl");
  for (const std::string path : {"link.jsonl", "folder/secret.jsonl", "relative/secret.jsonl",
                                 "magic/etc/passwd", "own.jsonl"})
    expect_refused(fixed(path), "x");
  const auto replaced = write(*session_, R"({"path":"link.jsonl","mode":"replace"})", "[{}]");
  ASSERT_FALSE(replaced);
  EXPECT_EQ(replaced.error().code, "path_escapes");
  EXPECT_EQ(text_of(directory_.path() / "outside/secret.jsonl"), kSecret);
}

TEST_F(Confinement, i1_hard_links_pipes_devices_and_folders_are_no_files) {
  fs::create_hard_link(directory_.path() / "outside/secret.jsonl", root() / "hard.jsonl");
  ASSERT_EQ(::mkfifo((root() / "pipe").c_str(), 0600), 0);
  fs::create_directory(root() / "folder");
  std::vector<std::string> paths{"hard.jsonl", "pipe", "folder"};
  if (::mknod((root() / "null").c_str(), S_IFCHR | 0600, makedev(1, 3)) == 0)
    paths.emplace_back("null");
  for (const std::string& path : paths) {
    expect_refused(fixed(path), "x");
    Json settings = fixed(path);
    settings.insert_or_assign("mode", "replace");
    const auto replaced = call(*session_, "file.write", settings, json(R"({"records":[{}]})"));
    ASSERT_FALSE(replaced) << path;
    EXPECT_EQ(replaced.error().code, "not_a_plain_file") << path;
  }
}

TEST_F(Confinement, i1_a_folder_that_is_swapped_for_a_link_again_and_again_never_leads_out) {
  fs::create_directory(root() / "real");
  fs::create_symlink(directory_.path() / "outside", root() / "link");
  std::atomic<bool> over = false;
  std::thread swapper([&] {
    while (!over)
      ::renameat2(AT_FDCWD, (root() / "real").c_str(), AT_FDCWD, (root() / "link").c_str(),
                  RENAME_EXCHANGE);
  });
  const auto operation =
      try_prepare("file.write", json(R"({"path":"real/secret.jsonl","sync":"never"})")).value();
  const Json parameters = json(R"({"records":[{"evil":true}]})");
  std::size_t written = 0;
  std::size_t refused = 0;
  for (int i = 0; i < 10'000; ++i) {
    const auto done = context_.run(session_->call(*operation, parameters, context_.in(10s)), 20s);
    ++(done ? written : refused);
    if (!done) {
      ASSERT_EQ(done.error().error_class, ErrorClass::kFunction) << done.error().message;
    }
  }
  over = true;
  swapper.join();
  EXPECT_GT(written, 0U);
  EXPECT_GT(refused, 0U);
  EXPECT_EQ(text_of(directory_.path() / "outside/secret.jsonl"), kSecret);
  EXPECT_EQ(std::distance(fs::directory_iterator(directory_.path() / "outside"),
                          fs::directory_iterator()),
            1);
}

}  // namespace
}  // namespace tributary::connectors::file
