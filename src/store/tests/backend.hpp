// The databases that the contract tests run against. Today SQLite; PostgreSQL joins by adding a
// class and its name below.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>
#include <filesystem>
#include <memory>
#include <string>

#include "base/time.hpp"
#include "store/repositories.hpp"
#include "store/store.hpp"

namespace tributary::store {

// Memory where there is some to write to: flushing costs nothing there, and these tests flush
// thousands of times.
inline std::filesystem::path fast_parent() {
  return ::access("/dev/shm", W_OK) == 0 ? "/dev/shm" : std::filesystem::temp_directory_path();
}

// A directory that goes with its owner.
class TemporaryDirectory {
 public:
  explicit TemporaryDirectory(
      const std::filesystem::path& parent = std::filesystem::temp_directory_path()) {
    std::string name = parent / "tributary-store-XXXXXX";
    path_ = ::mkdtemp(name.data());
  }
  ~TemporaryDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

class Backend {
 public:
  virtual ~Backend() = default;
  // Opens the same database each time.
  virtual Result<std::unique_ptr<Store>> open(const Clock& clock) = 0;
};

class SqliteBackend final : public Backend {
 public:
  Result<std::unique_ptr<Store>> open(const Clock& clock) override {
    return Store::open(directory_.path(), clock);
  }

 private:
  TemporaryDirectory directory_{fast_parent()};
};

// One store on a fresh database; write() and read() fail the test when they fail.
class ContractTest : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    ASSERT_EQ(GetParam(), "sqlite");
    backend_ = std::make_unique<SqliteBackend>();
    reopen();
  }

  void reopen() {
    store_.reset();
    auto opened = backend_->open(clock_);
    ASSERT_TRUE(opened) << opened.error().message;
    store_ = std::move(*opened);
  }

  // The code of the error, empty when the work succeeded.
  template <typename Work>
  std::string write(Work work) {
    auto done = store_->write_now(std::move(work));
    return done ? std::string() : done.error().code;
  }

  // What `query` answers on the reader.
  template <typename Query>
  auto read(Query query) {
    using Answer = std::invoke_result_t<Query, soci::session&>;
    std::optional<Answer> answer;
    auto done = store_->read_now([&](soci::session& sql) -> Result<void> {
      answer = query(sql);
      if (!*answer) return fail(answer->error());
      return {};
    });
    EXPECT_TRUE(done) << done.error().message;
    return done ? **answer : typename Answer::value_type{};
  }

  ManualClock clock_;
  std::unique_ptr<Backend> backend_;
  std::unique_ptr<Store> store_;
};

}  // namespace tributary::store
