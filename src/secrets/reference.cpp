#include <fcntl.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "secrets/vault.hpp"

namespace tributary::secrets {

namespace {

constexpr std::string_view kEnvironment = "env:";
constexpr std::string_view kFile = "file:";
// Private keys with their chains are the largest secrets; anything beyond this is a mistake in the
// path.
constexpr std::size_t kMaxFileBytes = 64 * 1024;

std::unexpected<Error> unavailable(std::string message, std::string hint) {
  return fail(ErrorClass::kConfiguration, "secret_unavailable", std::move(message),
              std::move(hint));
}

bool is_variable_name(std::string_view name) {
  const auto letter = [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
  };
  return !name.empty() && letter(name[0]) && std::all_of(name.begin(), name.end(), [&](char c) {
    return letter(c) || (c >= '0' && c <= '9');
  });
}

Result<Secret> from_environment(std::string_view name) {
  // A name that cannot be one may be a secret typed with a prefix by accident: it is not repeated
  // in the message.
  if (!is_variable_name(name)) {
    return unavailable("The secret refers to an environment variable whose name is not valid.",
                       "Write env:NAME with letters, digits and underscores.");
  }
  const char* value = std::getenv(std::string(name).c_str());
  if (value == nullptr || *value == '\0') {
    return unavailable(
        fmt::format("The secret refers to the environment variable {}, which is not set.", name),
        "Set the variable for the server's process and restart it.");
  }
  return Secret(value);
}

Result<Secret> from_file(const std::string& path) {
  constexpr const char* kHint =
      "The file must be a plain file of at most 64 KiB that the server's user can read.";
  if (!path.starts_with('/')) {
    return unavailable("The secret refers to a file by a path that is not absolute.",
                       "Write file:/path/to/file.");
  }
  // O_NONBLOCK: opening a pipe must not hang the connection attempt.
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (file < 0) {
    return unavailable(
        fmt::format("The secret's file {} cannot be opened: {}.", path, std::strerror(errno)),
        kHint);
  }
  struct stat status{};
  std::string text(kMaxFileBytes + 1, '\0');
  ssize_t length = -1;
  const bool plain = ::fstat(file, &status) == 0 && S_ISREG(status.st_mode);
  if (plain) length = ::read(file, text.data(), text.size());
  ::close(file);
  if (!plain)
    return unavailable(fmt::format("The secret's file {} is not a plain file.", path), kHint);
  const auto size = static_cast<std::size_t>(std::max<ssize_t>(length, 0));
  // Editors end the last line; the newline is not part of a password.
  std::string_view content(text.data(), size);
  if (content.ends_with('\n')) content.remove_suffix(1);
  if (content.ends_with('\r')) content.remove_suffix(1);
  const bool usable = size <= kMaxFileBytes && !content.empty();
  Secret secret(usable ? content : std::string_view());
  sodium_memzero(text.data(), text.size());
  if (!usable)
    return unavailable(fmt::format("The secret's file {} is empty, too long or unreadable.", path),
                       kHint);
  return secret;
}

}  // namespace

Result<Secret> resolve_reference(const Secret& stored) {
  const std::string_view text = stored.reveal();
  if (text.starts_with(kEnvironment)) return from_environment(text.substr(kEnvironment.size()));
  if (text.starts_with(kFile)) return from_file(std::string(text.substr(kFile.size())));
  return stored;
}

}  // namespace tributary::secrets
