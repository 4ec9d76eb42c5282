#include "auth/password.hpp"

#include "auth/credentials.hpp"
#include "auth/limiter.hpp"

namespace tributary::auth {
namespace {

std::string code_of(std::string_view password, std::string_view username = "ada") {
  auto result = check_password(Secret(password), username);
  return result ? "" : result.error().code;
}

TEST(PasswordTest, LengthIsCountedInCharactersNotBytes) {
  EXPECT_EQ(code_of("tz9 kaw loq"), "weak_password") << "11";
  EXPECT_EQ(code_of("tz9 kaw loqu"), "") << "12";
  EXPECT_EQ(code_of("ğüşöçı ĞÜŞÖÇ"), "") << "12 characters, 23 bytes";
  EXPECT_EQ(code_of("ğüşöçıĞÜŞÖÇ"), "weak_password") << "11 characters, 22 bytes";
  std::string longest;
  while (longest.size() < 128) longest += static_cast<char>('!' + (longest.size() * 37) % 90);
  EXPECT_EQ(code_of(longest), "");
  EXPECT_EQ(code_of(longest + "z"), "weak_password");
}

TEST(PasswordTest, WhatIsGuessedFirstIsRefused) {
  for (const std::string_view password :
       {"aaaaaaaaaaaa",   "121212121212",     "abc1abc1abc1",
        "123456789012",   "098765432109",     "1234567890qwerty",
        "qwertyuiopasdf", "asdfghjklqwe",     "1q2w3e4r5t6y",
        "zxcvbnmzxcvbnm", "abcdefghijkl",     "Password1234",
        "P@ssw0rd2024!",  "passwordpassword", "PasswordPasswordPassword",
        "Welcome12345!",  "letmeinplease",    "ChangeMe2026!!",
        "admin1234567",   "Administrator1",   "!!administrator",
        "summer2026!!!",  "January2026!!",    "tributary2026",
        "tributaryadmin", "ScadaAdmin123",    "modbus-plc-502",
        "5ummer-w1nter",  "iloveyou!!!!",     "mypasswordis1",
        "qwerty-qwerty1"}) {
    EXPECT_TRUE(is_common_password(password)) << password;
    EXPECT_EQ(code_of(password), "weak_password") << password;
  }
}

TEST(PasswordTest, HundredsOfDecoratedWordsAreRefused) {
  int count = 0;
  for (const std::string word :
       {"password", "Welcome", "ADMIN", "operator", "Changeme", "secret", "summer", "Qwerty"}) {
    for (const std::string before : {"", "!", "123"}) {
      for (const std::string after : {"", "1", "12345", "2026", "2026!", "!!!!!", "#1", "007"}) {
        EXPECT_TRUE(is_common_password(before + word + after)) << before + word + after;
        ++count;
      }
    }
  }
  EXPECT_GE(count, 190);
}

TEST(PasswordTest, WhatPeopleKeepInMindIsAccepted) {
  for (const std::string_view password :
       {"horse filter seven lamp", "correct horse battery", "Kx7!pQ2#vLm9",
        "mein Hund heisst Bruno", "gul bahce 47 kapi", "the machine is very good at monday"}) {
    EXPECT_EQ(code_of(password), "") << password;
  }
}

TEST(PasswordTest, TheOwnNameWithALittleAroundItIsRefused) {
  EXPECT_EQ(code_of("maintainer-x7", "maintainer"), "weak_password");
  EXPECT_EQ(code_of("x7kbertholdBERTHOLD", "Berthold"), "weak_password");
  EXPECT_EQ(code_of("maintainer of 3 red pumps", "maintainer"), "");
}

TEST(PasswordTest, AHashFitsItsPasswordOnly) {
  auto hash = hash_password(Secret("horse filter seven lamp"));
  ASSERT_TRUE(hash) << hash.error().message;
  EXPECT_TRUE(verify_password(*hash, Secret("horse filter seven lamp")));
  EXPECT_FALSE(verify_password(*hash, Secret("horse filter seven lamb")));
  EXPECT_FALSE(verify_password("not a hash", Secret("horse filter seven lamp")));
  EXPECT_FALSE(needs_rehash(*hash));
}

TEST(CredentialsTest, TokensAreDistinctAndCarryTheirChecksum) {
  const std::string token = make_token();
  EXPECT_TRUE(is_token(token));
  EXPECT_TRUE(token.starts_with("trb_"));
  EXPECT_EQ(token.size(), 4u + 43u + 6u);
  EXPECT_NE(token, make_token());
}

TEST(CredentialsTest, SetupCodesUseNoCharactersThatLookAlike) {
  for (int i = 0; i < 200; ++i) {
    const std::string code = make_setup_code();
    ASSERT_EQ(code.size(), 9u);
    EXPECT_EQ(code[4], '-');
    EXPECT_EQ(code.find_first_of("01OI"), std::string::npos) << code;
  }
  EXPECT_TRUE(same_setup_code("7F3K-Q2MD", "7f3k q2md"));
  EXPECT_FALSE(same_setup_code("7F3K-Q2MD", "7F3K-Q2M"));
  EXPECT_FALSE(same_setup_code("7F3K-Q2MD", ""));
}

TEST(CredentialsTest, HashesAreSha256) {
  // FIPS 180-2, example B.1.
  EXPECT_EQ(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(LimiterTest, TenAMinuteOnASlidingWindow) {
  AttemptLimiter limiter;
  SteadyTime now{std::chrono::hours{1}};
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(limiter.try_attempt("ada", "a", now), std::nullopt);
    now += std::chrono::seconds{3};
  }
  EXPECT_EQ(limiter.try_attempt("ada", "a", now),
            std::optional<Duration>(std::chrono::seconds{30}));
  now += std::chrono::seconds{30};
  EXPECT_EQ(limiter.try_attempt("ada", "a", now), std::nullopt);
  EXPECT_NE(limiter.try_attempt("ada", "a", now), std::nullopt) << "only one place came free";
}

TEST(LimiterTest, MemoryIsBoundedAndOldEntriesMakeRoom) {
  AttemptLimiter limiter;
  SteadyTime now{std::chrono::hours{1}};
  for (std::size_t i = 0; i < AttemptLimiter::kMaxKeys; ++i) {
    ASSERT_EQ(limiter.try_attempt(std::to_string(i), "a", now), std::nullopt);
  }
  EXPECT_NE(limiter.try_attempt("one more", "a", now), std::nullopt);
  EXPECT_EQ(limiter.try_attempt("7", "a", now), std::nullopt) << "known ones go on";
  now += std::chrono::minutes{2};
  EXPECT_EQ(limiter.try_attempt("one more", "a", now), std::nullopt);
}

}  // namespace
}  // namespace tributary::auth
