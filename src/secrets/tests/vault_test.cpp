#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "secrets/vault.hpp"

namespace tributary::secrets {
namespace {

class VaultTest : public testing::Test {
 protected:
  VaultTest() {
    std::string name = std::filesystem::temp_directory_path() / "tributary-vault-XXXXXX";
    directory_ = ::mkdtemp(name.data());
  }
  ~VaultTest() override { std::filesystem::remove_all(directory_); }

  std::unique_ptr<Vault> make() {
    auto vault = Vault::open(directory_, true);
    EXPECT_TRUE(vault) << vault.error().message;
    return vault ? std::move(*vault) : nullptr;
  }
  Error refusal(bool may_create = false) {
    auto vault = Vault::open(directory_, may_create);
    EXPECT_FALSE(vault);
    return vault ? Error() : vault.error();
  }
  std::string key_path() const { return directory_ + "/master.key"; }
  void write_key(const std::string& bytes, mode_t mode) {
    std::filesystem::remove(key_path());
    std::ofstream(key_path()) << bytes;
    ::chmod(key_path().c_str(), mode);
  }

  std::string directory_;
};

std::string code_of(const Result<Secret>& result) {
  return result ? "" : result.error().code;
}

TEST_F(VaultTest, WhatWasSealedComesBackAfterAReopen) {
  const std::string sealed = make()->seal("c1", "password", 3, Secret("pass wörd\n"));
  auto opened = Vault::open(directory_, false);
  ASSERT_TRUE(opened) << opened.error().message;
  auto secret = (*opened)->unseal("c1", "password", 3, sealed);
  ASSERT_TRUE(secret) << secret.error().message;
  EXPECT_EQ(secret->reveal(), "pass wörd\n");
}

TEST_F(VaultTest, AnEmptySecretAndOneWithZerosSurvive) {
  auto vault = make();
  const std::string zeros("a\0b", 3);
  EXPECT_EQ(vault->unseal("c", "f", 1, vault->seal("c", "f", 1, Secret("")))->reveal(), "");
  EXPECT_EQ(vault->unseal("c", "f", 1, vault->seal("c", "f", 1, Secret(zeros)))->reveal(), zeros);
}

TEST_F(VaultTest, TheSameSecretIsNeverSealedTheSameWayTwice) {
  auto vault = make();
  const std::string first = vault->seal("c1", "password", 1, Secret("hunter2hunter2"));
  EXPECT_NE(first, vault->seal("c1", "password", 1, Secret("hunter2hunter2")));
  EXPECT_EQ(first.find("hunter2"), std::string::npos);
}

TEST_F(VaultTest, ACiphertextMovedToAnotherPlaceIsRefused) {
  auto vault = make();
  const std::string one = vault->seal("c1", "password", 1, Secret("one"));
  EXPECT_EQ(code_of(vault->unseal("c2", "password", 1, one)), "secret_unavailable")
      << "another profile";
  EXPECT_EQ(code_of(vault->unseal("c1", "token", 1, one)), "secret_unavailable") << "another field";
  EXPECT_EQ(code_of(vault->unseal("c1", "password", 2, one)), "secret_unavailable")
      << "an older version put back";
  EXPECT_EQ(code_of(vault->unseal("c", "1password", 1, one)), "secret_unavailable")
      << "the same letters, cut elsewhere";
}

TEST_F(VaultTest, TwoSwappedCiphertextsAreRefused) {
  auto vault = make();
  const std::string one = vault->seal("c1", "password", 1, Secret("one"));
  const std::string two = vault->seal("c2", "password", 1, Secret("two"));
  EXPECT_EQ(code_of(vault->unseal("c1", "password", 1, two)), "secret_unavailable");
  EXPECT_EQ(code_of(vault->unseal("c2", "password", 1, one)), "secret_unavailable");
}

TEST_F(VaultTest, EveryFlippedCharacterIsNoticed) {
  auto vault = make();
  const std::string sealed = vault->seal("c1", "password", 1, Secret("four"));
  for (std::size_t i = 0; i < sealed.size(); ++i) {
    std::string altered = sealed;
    altered[i] = altered[i] == 'A' ? 'B' : 'A';
    EXPECT_EQ(code_of(vault->unseal("c1", "password", 1, altered)), "secret_unavailable")
        << "character " << i;
    EXPECT_EQ(code_of(vault->unseal("c1", "password", 1, sealed.substr(0, i))),
              "secret_unavailable")
        << "cut at " << i;
  }
}

TEST_F(VaultTest, AnotherMasterKeyIsNamedAsTheReason) {
  const std::string sealed = make()->seal("c1", "password", 1, Secret("one"));
  write_key(std::string(32, 'k'), 0400);
  auto secret = make()->unseal("c1", "password", 1, sealed);
  ASSERT_FALSE(secret);
  EXPECT_EQ(secret.error().error_class, ErrorClass::kConfiguration);
  EXPECT_EQ(secret.error().pointer, "/secrets/password");
  EXPECT_NE(secret.error().message.find("another master key"), std::string::npos);
}

TEST_F(VaultTest, TheKeyIsMadePrivateWhateverTheUmask) {
  const mode_t before = ::umask(0);
  make();
  ::umask(before);
  struct stat status{};
  ASSERT_EQ(::stat(key_path().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0400u);
  EXPECT_EQ(status.st_size, 32);
  EXPECT_FALSE(std::filesystem::exists(key_path() + ".new"));
}

TEST_F(VaultTest, AMissingKeyOverExistingDataIsNotMadeAnew) {
  EXPECT_EQ(refusal().code, "master_key_missing");
  EXPECT_FALSE(std::filesystem::exists(key_path()));
}

TEST_F(VaultTest, AnExistingKeyIsNeverReplaced) {
  write_key(std::string(32, 'k'), 0400);
  make();
  std::ifstream file(key_path());
  const std::string content{std::istreambuf_iterator<char>(file), {}};
  EXPECT_EQ(content, std::string(32, 'k'));
}

TEST_F(VaultTest, AnyOtherModeIsRefusedAndNamed) {
  for (const mode_t mode : {0600, 0440, 0644, 04400}) {
    write_key(std::string(32, 'k'), mode);
    const Error error = refusal(true);
    EXPECT_EQ(error.code, "master_key_unsafe");
    EXPECT_NE(error.message.find(fmt::format("{:04o}", mode)), std::string::npos) << error.message;
  }
}

TEST_F(VaultTest, ASymbolicLinkIsRefusedEvenToAGoodKey) {
  write_key(std::string(32, 'k'), 0400);
  std::filesystem::rename(key_path(), directory_ + "/real.key");
  std::filesystem::create_symlink(directory_ + "/real.key", key_path());
  const Error error = refusal(true);
  EXPECT_EQ(error.code, "master_key_unsafe");
  EXPECT_NE(error.message.find("symbolic link"), std::string::npos);
}

TEST_F(VaultTest, ADirectoryInItsPlaceIsRefused) {
  std::filesystem::create_directory(key_path());
  EXPECT_EQ(refusal(true).code, "master_key_unsafe");
}

TEST_F(VaultTest, SomebodyElsesKeyIsRefused) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can give a file away";
  write_key(std::string(32, 'k'), 0400);
  ASSERT_EQ(::chown(key_path().c_str(), 65534, 65534), 0);
  const Error error = refusal(true);
  EXPECT_EQ(error.code, "master_key_unsafe");
  EXPECT_NE(error.message.find("65534"), std::string::npos);
}

TEST_F(VaultTest, AKeyOfAnotherLengthIsRefused) {
  for (const std::size_t length : {0, 31, 33}) {
    write_key(std::string(length, 'k'), 0400);
    EXPECT_EQ(refusal(true).code, "master_key_invalid");
  }
}

class ReferenceTest : public VaultTest {
 protected:
  std::string file(const std::string& content) {
    const std::string path = directory_ + "/secret";
    std::ofstream(path) << content;
    return "file:" + path;
  }
};

TEST_F(ReferenceTest, AnythingElseIsTheSecretItself) {
  EXPECT_EQ(resolve_reference(Secret("environment"))->reveal(), "environment");
  EXPECT_EQ(resolve_reference(Secret(""))->reveal(), "");
}

TEST_F(ReferenceTest, AVariableIsReadOnEachCall) {
  ::setenv("TRIBUTARY_TEST_SECRET", "first", 1);
  EXPECT_EQ(resolve_reference(Secret("env:TRIBUTARY_TEST_SECRET"))->reveal(), "first");
  ::setenv("TRIBUTARY_TEST_SECRET", "second", 1);
  EXPECT_EQ(resolve_reference(Secret("env:TRIBUTARY_TEST_SECRET"))->reveal(), "second");
  ::unsetenv("TRIBUTARY_TEST_SECRET");
  EXPECT_EQ(code_of(resolve_reference(Secret("env:TRIBUTARY_TEST_SECRET"))), "secret_unavailable");
}

TEST_F(ReferenceTest, ANameThatCannotBeAVariableIsNotRepeated) {
  auto result = resolve_reference(Secret("env:S3cret!pa55"));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().message.find("S3cret"), std::string::npos);
}

TEST_F(ReferenceTest, AFileIsReadWithoutItsLastLineBreak) {
  EXPECT_EQ(resolve_reference(Secret(file("from a file\n")))->reveal(), "from a file");
  EXPECT_EQ(resolve_reference(Secret(file("two\nlines\r\n")))->reveal(), "two\nlines");
  EXPECT_EQ(resolve_reference(Secret(file(std::string(64 * 1024, 'x'))))->reveal().size(),
            64u * 1024);
}

TEST_F(ReferenceTest, FilesThatCannotBeASecretAreRefused) {
  EXPECT_EQ(code_of(resolve_reference(Secret(file("")))), "secret_unavailable");
  EXPECT_EQ(code_of(resolve_reference(Secret(file(std::string(64 * 1024 + 1, 'x'))))),
            "secret_unavailable");
  EXPECT_EQ(code_of(resolve_reference(Secret("file:relative"))), "secret_unavailable");
  EXPECT_EQ(code_of(resolve_reference(Secret("file:" + directory_))), "secret_unavailable");
  EXPECT_EQ(code_of(resolve_reference(Secret("file:" + directory_ + "/none"))),
            "secret_unavailable");
}

TEST_F(ReferenceTest, APipeDoesNotHang) {
  const std::string path = directory_ + "/pipe";
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  EXPECT_EQ(code_of(resolve_reference(Secret("file:" + path))), "secret_unavailable");
}

}  // namespace
}  // namespace tributary::secrets
