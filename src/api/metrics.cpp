#include "api/metrics.hpp"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include "api/process.hpp"
#include "api/services.hpp"
#include "notices/notices.hpp"

namespace tributary::api {
namespace {

using prometheus::Counter;
using prometheus::Family;
using prometheus::Gauge;
using prometheus::Histogram;

// Methods are counted by name only when they exist: a client must not make series.
std::string known_method(std::string_view method) {
  for (std::string_view known : {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"}) {
    if (method == known) return std::string(known);
  }
  return "other";
}

// Counters that others keep are moved up to their value; they restart with the process, as
// everything here.
void raise_to(Counter& counter, double value) {
  if (value > counter.Value()) counter.Increment(value - counter.Value());
}

}  // namespace

struct Metrics::Impl {
  prometheus::Registry registry;
  Family<Gauge>& connections = prometheus::BuildGauge()
                                   .Name("tributary_connections")
                                   .Help("Connections by status.")
                                   .Register(registry);
  Family<Counter>& samples =
      prometheus::BuildCounter()
          .Name("tributary_subscription_samples_total")
          .Help("Samples and records that subscriptions took in, by connector.")
          .Register(registry);
  Family<Counter>& overruns =
      prometheus::BuildCounter()
          .Name("tributary_poll_overruns_total")
          .Help("Polls that were skipped because the one before was still running.")
          .Register(registry);
  Family<Counter>& records = prometheus::BuildCounter()
                                 .Name("tributary_pipeline_records_total")
                                 .Help("Records of all pipelines: in, out, failed, dropped.")
                                 .Register(registry);
  Family<Gauge>& pipelines = prometheus::BuildGauge()
                                 .Name("tributary_pipelines")
                                 .Help("Pipelines by status.")
                                 .Register(registry);
  Family<Counter>& notices =
      prometheus::BuildCounter()
          .Name("tributary_notices_total")
          .Help("Notices by what became of them: delivered, failed, dropped.")
          .Register(registry);
  Family<Gauge>& notices_pending = prometheus::BuildGauge()
                                       .Name("tributary_notices_pending")
                                       .Help("Notices that wait for their receiver.")
                                       .Register(registry);
  Family<Counter>& requests = prometheus::BuildCounter()
                                  .Name("tributary_api_requests_total")
                                  .Help("Answered requests by method, route and status.")
                                  .Register(registry);
  Family<Histogram>& durations = prometheus::BuildHistogram()
                                     .Name("tributary_api_request_duration_seconds")
                                     .Help("Time that handlers took, by route.")
                                     .Register(registry);
  Family<Gauge>& stream_clients = prometheus::BuildGauge()
                                      .Name("tributary_stream_clients")
                                      .Help("Clients of live events.")
                                      .Register(registry);
  Family<Gauge>& memory = prometheus::BuildGauge()
                              .Name("process_resident_memory_bytes")
                              .Help("Resident memory of the process.")
                              .Register(registry);
  Family<Gauge>& descriptors = prometheus::BuildGauge()
                                   .Name("process_open_fds")
                                   .Help("Open descriptors.")
                                   .Register(registry);
  Family<Counter>& cpu = prometheus::BuildCounter()
                             .Name("process_cpu_seconds_total")
                             .Help("Processor time, user and system.")
                             .Register(registry);
  Family<Gauge>& started = prometheus::BuildGauge()
                               .Name("process_start_time_seconds")
                               .Help("Start of the process, seconds since 1970.")
                               .Register(registry);
  Family<Gauge>& build = prometheus::BuildGauge()
                             .Name("tributary_build_info")
                             .Help("1, with the version.")
                             .Register(registry);
};

Metrics::Metrics(std::string_view version) : impl_(std::make_unique<Impl>()) {
  impl_->build.Add({{"version", std::string(version)}}).Set(1);
  impl_->stream_clients.Add({}).Set(0);
}

Metrics::~Metrics() = default;

void Metrics::count_request(std::string_view method, std::string_view route, int status) {
  impl_->requests
      .Add({{"method", known_method(method)},
            {"route", std::string(route)},
            {"status", std::to_string(status)}})
      .Increment();
}

void Metrics::observe_duration(std::string_view route, Duration duration) {
  static const Histogram::BucketBoundaries kBounds{0.001, 0.0025, 0.005, 0.01, 0.025, 0.05,
                                                   0.1,   0.25,   1,     2.5,  10};
  impl_->durations.Add({{"route", std::string(route)}}, kBounds).Observe(to_seconds(duration));
}

void Metrics::set_stream_clients(std::size_t clients) {
  impl_->stream_clients.Add({}).Set(static_cast<double>(clients));
}

std::string Metrics::render(const Services& services) {
  std::map<std::string, double> statuses;
  for (std::string_view status :
       {"Idle", "Connecting", "Connected", "Disconnected", "Reconnecting", "Failed", "Suspended"}) {
    statuses[std::string(status)] = 0;
  }
  // Deleted functions take their samples with them, so the sum may fall; the counter then waits
  // until it is passed.
  std::map<std::string, std::pair<double, double>> by_type;
  for (const auto& connection : services.manager.connections()) {
    ++statuses[std::string(to_string(connection.state.status))];
    auto& [samples, overruns] = by_type[connection.row.type];
    for (const auto& function : services.manager.functions(connection.row.id)) {
      samples += static_cast<double>(function.samples);
      overruns += static_cast<double>(function.overruns);
    }
  }
  for (const auto& [status, count] : statuses)
    impl_->connections.Add({{"status", status}}).Set(count);
  for (const auto& [type, sums] : by_type) {
    raise_to(impl_->samples.Add({{"connector", type}}), sums.first);
    raise_to(impl_->overruns.Add({{"connector", type}}), sums.second);
  }

  std::map<std::string, double> directions{{"in", 0}, {"out", 0}, {"failed", 0}, {"dropped", 0}};
  std::map<std::string, double> pipelines{
      {"disabled", 0}, {"running", 0}, {"waiting", 0}, {"failing", 0}};
  for (const auto& pipeline : services.engine.pipelines()) {
    ++pipelines[pipeline.status];
    directions["in"] += static_cast<double>(pipeline.records_in);
    directions["out"] += static_cast<double>(pipeline.records_out);
    directions["failed"] += static_cast<double>(pipeline.errors);
    directions["dropped"] += static_cast<double>(pipeline.dropped);
  }
  for (const auto& [status, count] : pipelines)
    impl_->pipelines.Add({{"status", status}}).Set(count);
  for (const auto& [direction, sum] : directions)
    raise_to(impl_->records.Add({{"direction", direction}}), sum);

  const notices::Totals notices = services.notices.totals();
  raise_to(impl_->notices.Add({{"result", "delivered"}}), static_cast<double>(notices.delivered));
  raise_to(impl_->notices.Add({{"result", "failed"}}), static_cast<double>(notices.failed));
  raise_to(impl_->notices.Add({{"result", "dropped"}}), static_cast<double>(notices.dropped));
  impl_->notices_pending.Add({}).Set(static_cast<double>(notices.pending));

  impl_->memory.Add({}).Set(static_cast<double>(resident_bytes()));
  impl_->descriptors.Add({}).Set(static_cast<double>(open_descriptors()));
  raise_to(impl_->cpu.Add({}), cpu_seconds());
  impl_->started.Add({}).Set(static_cast<double>(to_micros(services.started_at)) / 1e6);
  return prometheus::TextSerializer().Serialize(impl_->registry.Collect());
}

}  // namespace tributary::api
