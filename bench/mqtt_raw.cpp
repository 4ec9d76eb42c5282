// The raw side: what a program pays that does nothing but call libmosquitto.
#include <mosquitto.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>

#include "bench/mqtt_throughput.hpp"

namespace tributary::bench {
namespace {

using SteadyClock = std::chrono::steady_clock;

// As many as the connector has on their way at once.
constexpr std::size_t kInFlight = 64;

struct Counts {
  std::size_t received = 0;
  std::size_t published = 0;
  bool subscribes = false;
  bool ready = false;  // connected, and subscribed where it subscribes
};

struct Destroy {
  void operator()(mosquitto* client) const { mosquitto_destroy(client); }
};
using Client = std::unique_ptr<mosquitto, Destroy>;

void must(int result, const char* what) {
  if (result == MOSQ_ERR_SUCCESS) return;
  std::fprintf(stderr, "%s: %s\n", what, mosquitto_strerror(result));
  std::exit(1);
}

void turn(const Client& client, int timeout_ms) {
  must(mosquitto_loop(client.get(), timeout_ms, 1), "loop");
}

Client connect(std::uint16_t port, const Flow& flow, Counts& counts) {
  mosquitto_lib_init();
  Client client(mosquitto_new(nullptr, true, &counts));
  mosquitto_int_option(client.get(), MOSQ_OPT_TCP_NODELAY, 1);
  mosquitto_int_option(client.get(), MOSQ_OPT_SEND_MAXIMUM, kInFlight);
  mosquitto_message_callback_set(client.get(), [](mosquitto*, void* to, const mosquitto_message*) {
    ++static_cast<Counts*>(to)->received;
  });
  mosquitto_publish_callback_set(
      client.get(), [](mosquitto*, void* to, int) { ++static_cast<Counts*>(to)->published; });
  mosquitto_subscribe_callback_set(client.get(), [](mosquitto*, void* to, int, int, const int*) {
    static_cast<Counts*>(to)->ready = true;
  });
  mosquitto_connect_callback_set(client.get(), [](mosquitto* it, void* to, int) {
    auto* counts = static_cast<Counts*>(to);
    if (counts->subscribes) {
      mosquitto_subscribe(it, nullptr, "bench", 2);
    } else {
      counts->ready = true;
    }
  });
  counts.subscribes = !flow.publishes;
  must(mosquitto_connect(client.get(), "127.0.0.1", port, 60), "connect");
  while (!counts.ready) turn(client, 1000);
  return client;
}

void publish_all(const Client& client, const Flow& flow, Counts& counts) {
  const std::string payload = payload_of(flow);
  for (std::size_t sent = 0; sent < flow.messages; ++sent) {
    must(mosquitto_publish(client.get(), nullptr, "bench", static_cast<int>(payload.size()),
                           payload.data(), flow.qos, false),
         "publish");
    while (sent + 1 - counts.published >= kInFlight) turn(client, 1000);
  }
  while (counts.published < flow.messages) turn(client, 1000);
}

}  // namespace

Figures run_raw(std::uint16_t port, const Flow& flow) {
  Counts counts;
  const Client client = connect(port, flow, counts);
  if (!flow.publishes) start_feeder(port, flow);
  const double cpu = cpu_seconds();
  const auto begin = SteadyClock::now();
  if (flow.publishes) {
    publish_all(client, flow, counts);
  } else {
    while (counts.received < flow.messages) turn(client, 1000);
  }
  const std::chrono::duration<double> seconds = SteadyClock::now() - begin;
  return {static_cast<double>(flow.messages), seconds.count(), cpu_seconds() - cpu};
}

}  // namespace tributary::bench
