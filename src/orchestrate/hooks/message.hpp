// A call of a webhook and its answer, free of any HTTP library.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tributary::orchestrate::hooks {

using Pairs = std::vector<std::pair<std::string, std::string>>;

struct Call {
  std::string method;
  std::string path;    // behind "/hooks/", decoded
  Pairs headers;       // names in lower case
  Pairs query;         // decoded
  std::string remote;  // address of the peer; empty when it came over the control socket
  std::optional<std::uint64_t> length;  // of the body, when it was announced
  std::string body;

  // Empty when it is absent.
  std::string_view header(std::string_view name) const;
};

// What a node of the type "respond" says.
struct Answer {
  int status = 200;
  Pairs headers;
  std::string body;
};

// Why a call is not taken.
struct Refusal {
  int status = 400;
  std::string code;
  std::string message;
  std::string hint;
  std::optional<std::int64_t> retry_after_ms;
  Pairs headers;
};

}  // namespace tributary::orchestrate::hooks
