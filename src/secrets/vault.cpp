#include "secrets/vault.hpp"

#include <fcntl.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>
#include <array>
#include <cerrno>
#include <cstring>
#include <span>
#include <vector>

namespace tributary::secrets {

namespace {

constexpr std::size_t kKeyBytes = 32;
constexpr mode_t kKeyMode = 0400;
constexpr unsigned char kFormat = 1;
constexpr std::size_t kKeyIdBytes = 8;
constexpr std::size_t kNonceBytes = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES;
constexpr std::size_t kTagBytes = crypto_aead_xchacha20poly1305_ietf_ABYTES;
constexpr std::size_t kHeaderBytes = 1 + kKeyIdBytes;
constexpr int kBase64 = sodium_base64_VARIANT_ORIGINAL;
// Domain separation: the master key makes nothing else with the same input.
constexpr std::string_view kProfileKeyContext = "tributary profile key 1";
constexpr std::string_view kKeyIdContext = "tributary key id 1";

using Buffer = std::vector<unsigned char>;

// A key in memory that is locked, never swapped where the system allows it, and wiped.
class Key {
 public:
  Key() : bytes_(static_cast<unsigned char*>(sodium_malloc(kKeyBytes))) {
    if (bytes_ == nullptr) throw std::bad_alloc();
  }
  ~Key() { sodium_free(bytes_); }
  Key(const Key&) = delete;
  Key& operator=(const Key&) = delete;
  unsigned char* data() { return bytes_; }
  const unsigned char* data() const { return bytes_; }
  void protect() { sodium_mprotect_readonly(bytes_); }

 private:
  unsigned char* bytes_;
};

class File {
 public:
  explicit File(int descriptor) : descriptor_(descriptor) {}
  ~File() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  int get() const { return descriptor_; }

 private:
  int descriptor_;
};

std::unexpected<Error> unsafe(const std::string& path, const std::string& finding) {
  return fail(ErrorClass::kInternal, "master_key_unsafe",
              fmt::format("The master key {} {}.", path, finding),
              "It must be a plain file of the server's own user with mode 0400.");
}

std::unexpected<Error> not_written(const std::string& path) {
  const int error = errno;
  const bool full = error == ENOSPC || error == EDQUOT || error == EFBIG;
  return fail(ErrorClass::kInternal, full ? "disk_full" : "data_dir_unwritable",
              fmt::format("The master key {} cannot be written: {}.", path, std::strerror(error)));
}

// Errors: as Vault::open().
Result<void> read_key(const std::string& path, Key& key) {
  // Not following links and checking what was opened, not what the name says: nothing can be
  // swapped in between.
  const File file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (file.get() < 0) {
    if (errno == ELOOP) return unsafe(path, "is a symbolic link");
    if (errno == ENOENT) {
      return fail(
          ErrorClass::kInternal, "master_key_missing",
          fmt::format("The master key {} is missing; the stored secrets cannot be read without it.",
                      path),
          "Put the key back from its backup. It is not made anew while data exists that needs it.");
    }
    return unsafe(path, fmt::format("cannot be read ({})", std::strerror(errno)));
  }
  struct stat status{};
  if (::fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode))
    return unsafe(path, "is not a plain file");
  if (status.st_uid != ::geteuid()) {
    return unsafe(path, fmt::format("belongs to user {}, not to the server's user {}",
                                    status.st_uid, ::geteuid()));
  }
  if ((status.st_mode & 07777) != kKeyMode) {
    return unsafe(path, fmt::format("has mode {:04o} instead of 0400", status.st_mode & 07777));
  }
  if (status.st_size != static_cast<off_t>(kKeyBytes) ||
      ::read(file.get(), key.data(), kKeyBytes) != static_cast<ssize_t>(kKeyBytes)) {
    return fail(ErrorClass::kInternal, "master_key_invalid",
                fmt::format("The master key {} has {} bytes instead of {}.", path, status.st_size,
                            kKeyBytes),
                "Put the key back from its backup.");
  }
  return {};
}

// Written under another name and linked into place: the name exists with all its bytes or not at
// all, and an existing key is never replaced.
Result<void> make_key(const std::string& data_dir, const std::string& path) {
  const std::string draft = path + ".new";
  ::unlink(draft.c_str());
  Key key;
  randombytes_buf(key.data(), kKeyBytes);
  {
    const File file(
        ::open(draft.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, kKeyMode));
    if (file.get() < 0) return not_written(path);
    // The mode above is subject to the umask.
    if (::fchmod(file.get(), kKeyMode) != 0) return not_written(path);
    if (::write(file.get(), key.data(), kKeyBytes) != static_cast<ssize_t>(kKeyBytes))
      return not_written(path);
    if (::fsync(file.get()) != 0) return not_written(path);
  }
  if (::link(draft.c_str(), path.c_str()) != 0) return not_written(path);
  ::unlink(draft.c_str());
  const File directory(::open(data_dir.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (directory.get() < 0 || ::fsync(directory.get()) != 0) return not_written(path);
  return {};
}

// BLAKE2b of context and text, keyed with the master key.
void derive(const Key& master, std::string_view context, std::string_view text,
            std::span<unsigned char> out) {
  crypto_generichash_state state;
  crypto_generichash_init(&state, master.data(), kKeyBytes, out.size());
  const auto add = [&](std::string_view part) {
    crypto_generichash_update(&state, reinterpret_cast<const unsigned char*>(part.data()),
                              part.size());
  };
  add(context);
  add(std::string_view("\0", 1));
  add(text);
  crypto_generichash_final(&state, out.data(), out.size());
}

// What a ciphertext is bound to. Lengths come first, so no two places read the same.
std::string associated_data(std::span<const unsigned char> header, std::string_view profile_id,
                            std::string_view field, std::int64_t version) {
  std::string data(header.begin(), header.end());
  data +=
      fmt::format("{}:{}|{}:{}|{}", profile_id.size(), profile_id, field.size(), field, version);
  return data;
}

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

std::string to_base64(const Buffer& bytes) {
  std::string text(sodium_base64_ENCODED_LEN(bytes.size(), kBase64), '\0');
  sodium_bin2base64(text.data(), text.size(), bytes.data(), bytes.size(), kBase64);
  text.pop_back();  // libsodium's terminating zero
  return text;
}

std::optional<Buffer> from_base64(std::string_view text) {
  Buffer bytes(text.size());
  std::size_t length = 0;
  const int result = sodium_base642bin(bytes.data(), bytes.size(), text.data(), text.size(),
                                       nullptr, &length, nullptr, kBase64);
  if (result != 0) return std::nullopt;
  bytes.resize(length);
  return bytes;
}

std::unexpected<Error> unavailable(std::string_view field, std::string_view reason) {
  return fail(ErrorClass::kConfiguration, "secret_unavailable",
              fmt::format("The stored secret \"{}\" cannot be read: {}.", field, reason),
              "Enter the secret again.", fmt::format("/secrets/{}", field));
}

}  // namespace

struct Vault::Impl {
  Key master;
  std::array<unsigned char, kKeyIdBytes> key_id{};

  // Format and key id: in front of every sealed secret, and part of what its tag covers.
  std::array<unsigned char, kHeaderBytes> header() const {
    std::array<unsigned char, kHeaderBytes> bytes{kFormat};
    std::copy(key_id.begin(), key_id.end(), bytes.begin() + 1);
    return bytes;
  }
};

Vault::Vault(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Vault::~Vault() = default;

Result<std::unique_ptr<Vault>> Vault::open(const std::string& data_dir, bool may_create) {
  if (sodium_init() < 0)
    return fail(ErrorClass::kInternal, "crypto_unavailable", "libsodium cannot be initialised.");
  const std::string path = data_dir + "/master.key";
  auto impl = std::make_unique<Impl>();
  Result<void> read = read_key(path, impl->master);
  if (!read && read.error().code == "master_key_missing" && may_create) {
    TRIBUTARY_TRY(make_key(data_dir, path));
    read = read_key(path, impl->master);
  }
  TRIBUTARY_TRY(read);
  derive(impl->master, kKeyIdContext, "", impl->key_id);
  impl->master.protect();
  return std::unique_ptr<Vault>(new Vault(std::move(impl)));
}

std::string Vault::seal(std::string_view profile_id, std::string_view field, std::int64_t version,
                        const Secret& secret) const {
  const auto header = impl_->header();
  const std::string_view text = secret.reveal();
  Buffer sealed(kHeaderBytes + kNonceBytes + text.size() + kTagBytes);
  std::copy(header.begin(), header.end(), sealed.begin());
  unsigned char* nonce = sealed.data() + kHeaderBytes;
  randombytes_buf(nonce, kNonceBytes);
  Key key;
  derive(impl_->master, kProfileKeyContext, profile_id, {key.data(), kKeyBytes});
  const std::string bound_to = associated_data(header, profile_id, field, version);
  crypto_aead_xchacha20poly1305_ietf_encrypt(nonce + kNonceBytes, nullptr, bytes_of(text),
                                             text.size(), bytes_of(bound_to), bound_to.size(),
                                             nullptr, nonce, key.data());
  return to_base64(sealed);
}

Result<Secret> Vault::unseal(std::string_view profile_id, std::string_view field,
                             std::int64_t version, std::string_view sealed) const {
  const auto bytes = from_base64(sealed);
  if (!bytes || bytes->size() < kHeaderBytes + kNonceBytes + kTagBytes)
    return unavailable(field, "it is damaged");
  if ((*bytes)[0] != kFormat) return unavailable(field, "it was sealed by a later version");
  const auto header = impl_->header();
  if (!std::equal(header.begin(), header.end(), bytes->begin())) {
    return unavailable(field, "it was sealed with another master key");
  }
  Key key;
  derive(impl_->master, kProfileKeyContext, profile_id, {key.data(), kKeyBytes});
  const std::string bound_to = associated_data(header, profile_id, field, version);
  const unsigned char* nonce = bytes->data() + kHeaderBytes;
  const std::size_t cipher_bytes = bytes->size() - kHeaderBytes - kNonceBytes;
  std::string text(cipher_bytes - kTagBytes, '\0');
  const int opened = crypto_aead_xchacha20poly1305_ietf_decrypt(
      reinterpret_cast<unsigned char*>(text.data()), nullptr, nullptr, nonce + kNonceBytes,
      cipher_bytes, bytes_of(bound_to), bound_to.size(), nonce, key.data());
  if (opened != 0) return unavailable(field, "it was altered, or sealed for another place");
  Secret secret(text);
  sodium_memzero(text.data(), text.size());
  return secret;
}

}  // namespace tributary::secrets
