// Idempotency-Key: a POST that is sent again gets the first answer again, for 24 hours.
#pragma once

#include <set>
#include <string>

#include "api/http.hpp"
#include "api/router.hpp"
#include "api/services.hpp"

namespace tributary::api {

class Idempotency {
 public:
  explicit Idempotency(Services& services) : services_(services) {}
  // The kept answer, or the handler's. Problems: 400 for an unusable key, 422
  // "idempotency_key_reused", 409 "idempotency_in_progress".
  Task<Answer> run(Request& request);

 private:
  Task<Answer> run_and_keep(Request& request, std::string key, std::string fingerprint);

  Services& services_;
  std::set<std::string> in_progress_;
};

}  // namespace tributary::api
