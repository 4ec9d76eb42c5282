#include <fcntl.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "secrets/reference.hpp"
#include "secrets/vault.hpp"

namespace tributary::secrets {

namespace {

constexpr std::string_view kEnvironment = "env:";
constexpr std::string_view kFile = "file:";

// What is referred to, in messages; and how large it may be: anything beyond is a mistake in the
// path.
struct Kind {
  std::string_view what;
  std::string_view code;
  std::size_t max_kib;
};
// Private keys with their chains are the largest secrets.
constexpr Kind kSecret{"The secret", "secret_unavailable", 64};
constexpr std::size_t kMaxSettingKib = 1024;  // a machine's whole list of issuers

std::unexpected<Error> unavailable(const Kind& kind, std::string message, std::string hint) {
  return fail(ErrorClass::kConfiguration, std::string(kind.code),
              fmt::format("{} {}", kind.what, message), std::move(hint));
}

bool is_variable_name(std::string_view name) {
  const auto letter = [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
  };
  return !name.empty() && letter(name[0]) && std::all_of(name.begin(), name.end(), [&](char c) {
    return letter(c) || (c >= '0' && c <= '9');
  });
}

Result<Secret> from_environment(std::string_view name, const Kind& kind) {
  // A name that cannot be one may be a secret typed with a prefix by accident: it is not repeated
  // in the message.
  if (!is_variable_name(name)) {
    return unavailable(kind, "refers to an environment variable whose name is not valid.",
                       "Write env:NAME with letters, digits and underscores.");
  }
  const char* value = std::getenv(std::string(name).c_str());
  if (value == nullptr || *value == '\0') {
    return unavailable(
        kind, fmt::format("refers to the environment variable {}, which is not set.", name),
        "Set the variable for the server's process and restart it.");
  }
  return Secret(value);
}

Result<Secret> from_file(const std::string& path, const Kind& kind) {
  const std::string hint = fmt::format(
      "The file must be a plain file of at most {} KiB that the server's user can read.",
      kind.max_kib);
  const std::size_t max_bytes = kind.max_kib * 1024;
  if (!path.starts_with('/')) {
    return unavailable(kind, "refers to a file by a path that is not absolute.",
                       "Write file:/path/to/file.");
  }
  // O_NONBLOCK: opening a pipe must not hang the connection attempt.
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (file < 0) {
    return unavailable(
        kind, fmt::format("stands in {}, which cannot be opened: {}.", path, std::strerror(errno)),
        hint);
  }
  struct stat status{};
  std::string text(max_bytes + 1, '\0');
  ssize_t length = -1;
  const bool plain = ::fstat(file, &status) == 0 && S_ISREG(status.st_mode);
  if (plain) length = ::read(file, text.data(), text.size());
  ::close(file);
  if (!plain)
    return unavailable(kind, fmt::format("stands in {}, which is not a plain file.", path), hint);
  const auto size = static_cast<std::size_t>(std::max<ssize_t>(length, 0));
  // Editors end the last line; the newline is not part of a password.
  std::string_view content(text.data(), size);
  if (content.ends_with('\n')) content.remove_suffix(1);
  if (content.ends_with('\r')) content.remove_suffix(1);
  const bool usable = size <= max_bytes && !content.empty();
  Secret secret(usable ? content : std::string_view());
  sodium_memzero(text.data(), text.size());
  if (!usable)
    return unavailable(
        kind, fmt::format("stands in {}, which is empty, too long or unreadable.", path), hint);
  return secret;
}

Result<Secret> resolve(std::string_view text, const Kind& kind) {
  if (text.starts_with(kEnvironment))
    return from_environment(text.substr(kEnvironment.size()), kind);
  if (text.starts_with(kFile)) return from_file(std::string(text.substr(kFile.size())), kind);
  return Secret(text);
}

}  // namespace

bool is_reference(std::string_view text) {
  return text.starts_with(kEnvironment) || text.starts_with(kFile);
}

Result<Secret> resolve_reference(const Secret& stored) {
  return resolve(stored.reveal(), kSecret);
}

Result<std::string> resolve_setting(std::string_view stored, std::string_view what) {
  auto text = resolve(stored, {what, "setting_unavailable", kMaxSettingKib});
  TRIBUTARY_TRY(text);
  return std::string(text->reveal());
}

}  // namespace tributary::secrets
