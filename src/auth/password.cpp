#include "auth/password.hpp"

#include <sodium.h>
#include <algorithm>
#include <array>

namespace tributary::auth {

namespace {

constexpr unsigned long long kPasses = 3;
constexpr std::size_t kMemoryBytes = std::size_t{64} << 20;

// Rows as fingers find them, plus the orders everybody knows.
constexpr std::array<std::string_view, 9> kRuns = {"01234567890123456789",
                                                   "abcdefghijklmnopqrstuvwxyz",
                                                   "qwertyuiop",
                                                   "asdfghjkl",
                                                   "zxcvbnm",
                                                   "qwertzuiop",
                                                   "azertyuiop",
                                                   "yxcvbnm",
                                                   "1q2w3e4r5t6y7u8i9o0p"};

constexpr auto kWords = std::to_array<std::string_view>(
    {"password",   "passwort", "passwd",        "pass",        "parola",
     "sifre",      "admin",    "administrator", "root",        "user",
     "guest",      "operator", "engineer",      "maintenance", "service",
     "supervisor", "manager",  "master",        "system",      "server",
     "login",      "logon",    "welcome",       "hello",       "letmein",
     "changeme",   "change",   "please",        "enter",       "open",
     "access",     "secret",   "secure",        "security",    "private",
     "default",    "temp",     "test",          "testing",     "demo",
     "sample",     "example",  "trustno",       "iloveyou",    "love",
     "sunshine",   "princess", "dragon",        "monkey",      "football",
     "baseball",   "soccer",   "superman",      "batman",      "starwars",
     "pokemon",    "computer", "internet",      "network",     "database",
     "windows",    "linux",    "android",       "google",      "tributary",
     "scada",      "plc",      "modbus",        "mqtt",        "opcua",
     "siemens",    "rockwell", "schneider",     "factory",     "plant",
     "line",       "machine",  "filler",        "bottling",    "company",
     "office",     "summer",   "winter",        "spring",      "autumn",
     "fall",       "january",  "february",      "march",       "april",
     "may",        "june",     "july",          "august",      "september",
     "october",    "november", "december",      "monday",      "tuesday",
     "wednesday",  "thursday", "friday",        "saturday",    "sunday",
     "qwerty",     "qwertz",   "azerty",        "asdf",        "zxcv",
     "wasd",       "abc",      "abcd",          "the",         "my",
     "is",         "your",     "new",           "this",        "me",
     "in",         "it",       "and",           "for",         "to",
     "no",         "one",      "very",          "good",        "god",
     "money",      "king",     "queen"});

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}
bool is_letter(char c) {
  return c >= 'a' && c <= 'z';
}

std::string lowered(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(), lower);
  return result;
}

// Digits and signs that stand for letters.
std::string without_look_alikes(std::string text, char one_is) {
  for (char& c : text) {
    switch (c) {
      case '0':
        c = 'o';
        break;
      case '1':
      case '!':
      case '|':
        c = one_is;
        break;
      case '3':
        c = 'e';
        break;
      case '4':
      case '@':
        c = 'a';
        break;
      case '5':
      case '$':
        c = 's';
        break;
      case '7':
      case '+':
        c = 't';
        break;
      default:
        break;
    }
  }
  return text;
}

// A shorter piece again and again: "aaaaaa", "abc1abc1abc1".
bool repeats(std::string_view text) {
  for (std::size_t period = 1; period <= text.size() / 2; ++period) {
    bool same = true;
    for (std::size_t i = period; i < text.size() && same; ++i) same = text[i] == text[i - period];
    if (same) return true;
  }
  return false;
}

bool is_run(std::string_view text) {
  const std::string backwards(text.rbegin(), text.rend());
  return std::any_of(kRuns.begin(), kRuns.end(), [&](std::string_view run) {
    return run.contains(text) || run.contains(backwards);
  });
}

// True when the text can be cut into pieces of at least three characters that each lie on one run
// ("qwertyuiop123").
bool is_joined_runs(std::string_view text) {
  constexpr std::size_t kShortestPiece = 3;
  std::vector<bool> reachable(text.size() + 1, false);
  reachable[0] = true;
  for (std::size_t from = 0; from < text.size(); ++from) {
    if (!reachable[from]) continue;
    for (std::size_t length = kShortestPiece; from + length <= text.size(); ++length) {
      const std::string_view piece = text.substr(from, length);
      if (!is_run(piece) && !repeats(piece)) break;
      reachable[from + length] = true;
    }
  }
  return reachable[text.size()];
}

// True when nothing is left after usual words are taken out and everything that is no letter is
// ignored.
bool is_joined_words(std::string_view text) {
  std::string letters;
  std::copy_if(text.begin(), text.end(), std::back_inserter(letters), is_letter);
  if (letters.empty()) return false;
  std::vector<bool> reachable(letters.size() + 1, false);
  reachable[0] = true;
  for (std::size_t from = 0; from < letters.size(); ++from) {
    if (!reachable[from]) continue;
    const std::string_view rest = std::string_view(letters).substr(from);
    for (const std::string_view word : kWords) {
      if (rest.starts_with(word)) reachable[from + word.size()] = true;
    }
    for (std::size_t length = 3; length <= rest.size() && is_run(rest.substr(0, length));
         ++length) {
      reachable[from + length] = true;
    }
  }
  return reachable[letters.size()];
}

// A few known words do not make a long phrase guessable; beyond this a password of words is a
// passphrase.
constexpr std::size_t kPassphraseCharacters = 24;

std::size_t count_characters(std::string_view text) {
  // Continuation bytes of UTF-8 belong to the character before them.
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  }));
}

std::unexpected<Error> weak(std::string message) {
  return fail(
      ErrorClass::kFunction, "weak_password", std::move(message),
      "Several words that do not belong together are easy to keep in mind and hard to guess.",
      "/password");
}

}  // namespace

bool is_common_password(std::string_view password) {
  const std::string text = lowered(password);
  if (repeats(text) || is_run(text) || is_joined_runs(text)) return true;
  if (text.size() >= kPassphraseCharacters) return false;
  // Digits at the ends may be letters ("5ummer") or decoration, ignored before look-alikes are read
  // ("P@ssw0rd2024!").
  const auto plain = [](char c) { return is_letter(c) || c == '@' || c == '$'; };
  const auto first = std::find_if(text.begin(), text.end(), plain);
  const auto last = std::find_if(text.rbegin(), text.rend(), plain).base();
  const std::string core = first < last ? std::string(first, last) : std::string();
  for (const char one_is : {'i', 'l'}) {
    if (is_joined_words(without_look_alikes(text, one_is))) return true;
    if (is_joined_words(without_look_alikes(core, one_is))) return true;
  }
  return is_joined_words(text);
}

Result<void> check_password(const Secret& password, std::string_view username) {
  const std::size_t characters = count_characters(password.reveal());
  if (characters < kMinPasswordCharacters) {
    return weak(fmt::format("The password has {} characters; at least {} are needed.", characters,
                            kMinPasswordCharacters));
  }
  if (characters > kMaxPasswordCharacters) {
    return weak(fmt::format("The password has {} characters; at most {} are allowed.", characters,
                            kMaxPasswordCharacters));
  }
  if (is_common_password(password.reveal()))
    return weak("The password is one of the first that are guessed.");
  std::string rest = lowered(password.reveal());
  const std::string name = lowered(username);
  constexpr std::size_t kNameThatCounts = 3;
  if (name.size() >= kNameThatCounts) {
    for (std::size_t at = rest.find(name); at != std::string::npos; at = rest.find(name))
      rest.erase(at, name.size());
    constexpr std::size_t kEnoughBesidesTheName = 6;
    if (count_characters(rest) < kEnoughBesidesTheName)
      return weak("The password is little more than the user name.");
  }
  return {};
}

Result<std::string> hash_password(const Secret& password) {
  std::array<char, crypto_pwhash_STRBYTES> text{};
  const std::string_view plain = password.reveal();
  if (crypto_pwhash_str_alg(text.data(), plain.data(), plain.size(), kPasses, kMemoryBytes,
                            crypto_pwhash_ALG_ARGON2ID13) != 0) {
    return fail(ErrorClass::kInternal, "out_of_memory",
                "There is not enough memory to hash a password (64 MiB).");
  }
  return std::string(text.data());
}

bool verify_password(const std::string& hash, const Secret& password) {
  const std::string_view plain = password.reveal();
  return crypto_pwhash_str_verify(hash.c_str(), plain.data(), plain.size()) == 0;
}

bool needs_rehash(const std::string& hash) {
  return crypto_pwhash_str_needs_rehash(hash.c_str(), kPasses, kMemoryBytes) != 0;
}

const std::string& nobodys_hash() {
  // The parameters above with a salt and a result of zeros: a full computation whose result never
  // matches.
  static const std::string hash =
      fmt::format("$argon2id$v=19$m={},t={},p=1${}${}", kMemoryBytes >> 10, kPasses,
                  std::string(22, 'A'), std::string(43, 'A'));
  return hash;
}

}  // namespace tributary::auth
