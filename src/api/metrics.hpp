// What Prometheus reads at /metrics. The names are part of the contract: contracts/metrics.md lists
// them.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/time.hpp"

namespace tributary::api {

struct Services;

class Metrics {
 public:
  explicit Metrics(std::string_view version);
  ~Metrics();

  // `route` is the template, never the path: the number of series stays bounded.
  void count_request(std::string_view method, std::string_view route, int status);
  void observe_duration(std::string_view route, Duration duration);
  void set_stream_clients(std::size_t clients);

  // Prometheus text format 0.0.4, with the state of the hub at this moment. On the control
  // executor.
  std::string render(const Services& services);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tributary::api
