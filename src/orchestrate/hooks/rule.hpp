// What a webhook lets in: the settings of a trigger.webhook, and the checks that need no state.
// Pure.
#pragma once

#include <expected>
#include <span>

#include "base/secret.hpp"
#include "base/time.hpp"
#include "model/json.hpp"
#include "orchestrate/hooks/address_list.hpp"
#include "orchestrate/hooks/message.hpp"
#include "orchestrate/hooks/signature.hpp"

namespace tributary::orchestrate::hooks {

// The longest body that can be allowed; the server reads no more.
constexpr std::int64_t kMostBodyBytes = 4 * 1024 * 1024;

enum class Authentication : std::uint8_t { kNone, kHeader, kHmac };

struct Rule {
  std::string path;
  std::vector<std::string> methods;
  Authentication authentication = Authentication::kNone;
  std::string header;       // in lower case: holds the secret or the signature
  SignatureRule signature;  // of kHmac
  AddressList addresses;    // empty: from everywhere
  std::uint64_t max_bytes = 0;
  std::int64_t calls_per_minute = 0;
  Duration answer_timeout{};
};

Rule read_rule(const Json& settings);

// "/hooks/a/b" → "a/b"; "a" of the settings stays. Letters, digits, "-", "_", "." and "/".
bool is_usable_path(std::string_view path);

using Checked = std::expected<void, Refusal>;

// What can be decided without the body: address, size, and the secret of a header.
Checked check_head(const Rule& rule, const Call& call, const Secret& secret);
// The signature over the body. `now` against old calls that are sent again. The signature's bytes
// where it has a time: whoever keeps them knows a call that is sent again; otherwise empty.
std::expected<std::string, Refusal> check_body(const Rule& rule, const Call& call,
                                               const Secret& secret, UtcTime now);

// The record of a call (docs/pipelines/triggers.md). Refused: a body that is not what its content
// type says.
std::expected<Json, Refusal> make_record(const Rule& rule, const Call& call,
                                         const std::string& trigger, UtcTime now);

}  // namespace tributary::orchestrate::hooks
