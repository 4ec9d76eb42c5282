// Prints what a message costs: mqtt_throughput [MESSAGES, default 100000]. Needs mosquitto.
#include "bench/mqtt_throughput.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <pwd.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>

namespace tributary::bench {

std::string payload_of(const Flow& flow) {
  std::string text = "1480.25";
  text.resize(std::max(flow.payload_bytes, text.size()), ' ');
  return text;
}

void start_feeder(std::uint16_t port, const Flow& flow) {
  const std::string numbers[] = {std::to_string(port), std::to_string(flow.qos),
                                 std::to_string(flow.messages)};
  if (::fork() != 0) return;
  ::execl("/proc/self/exe", "mqtt_throughput", "--feed", numbers[0].c_str(), numbers[1].c_str(),
          numbers[2].c_str(), nullptr);
  ::_exit(1);
}

namespace {

std::uint16_t free_port() {
  const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  ::bind(socket, reinterpret_cast<sockaddr*>(&address), size);
  ::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size);
  ::close(socket);
  return ntohs(address.sin_port);
}

bool accepts(std::uint16_t port) {
  const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  const bool accepted =
      ::connect(socket, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  ::close(socket);
  return accepted;
}

// mosquitto with its own defaults, except that nothing may be dropped.
class Broker {
 public:
  Broker() : port_(free_port()) {
    char folder[] = "/tmp/mqtt_throughput.XXXXXX";
    folder_ = ::mkdtemp(folder);
    const std::string config = folder_ + "/mosquitto.conf";
    std::ofstream(config) << "listener " << port_ << " 127.0.0.1\nallow_anonymous true\nuser "
                          << ::getpwuid(::geteuid())->pw_name
                          << "\nset_tcp_nodelay true\nmax_queued_messages 0\nlog_type error\n";
    pid_ = ::fork();
    if (pid_ == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGTERM);
      ::execl("/usr/sbin/mosquitto", "mosquitto", "-c", config.c_str(), nullptr);
      ::_exit(1);
    }
    for (int i = 0; i < 100 && !accepts(port_); ++i) ::usleep(50'000);
  }
  ~Broker() {
    ::kill(pid_, SIGTERM);
    ::waitpid(pid_, nullptr, 0);
    ::unlink((folder_ + "/mosquitto.conf").c_str());
    ::rmdir(folder_.c_str());
  }
  Broker(const Broker&) = delete;
  Broker& operator=(const Broker&) = delete;
  std::uint16_t port() const { return port_; }

 private:
  std::uint16_t port_;
  std::string folder_;
  int pid_ = 0;
};

void show(const char* what, const char* who, const Figures& figures, double raw_cost) {
  const double cost = figures.cpu_seconds / figures.messages;
  std::printf("| %-17s | %-16s | %10.0f | %8.2f | %5.2f |\n", what, who,
              figures.messages / figures.seconds, cost * 1e6, cost / raw_cost);
}

void compare(const Broker& broker, const char* what, const Flow& flow) {
  const Figures raw = in_own_process([&] { return run_raw(broker.port(), flow); });
  const double raw_cost = raw.cpu_seconds / raw.messages;
  show(what, "raw libmosquitto", raw, raw_cost);
  show("", "connector", in_own_process([&] { return run_session(broker.port(), flow); }), raw_cost);
}

}  // namespace
}  // namespace tributary::bench

int main(int count, char** arguments) {
  using namespace tributary::bench;
  if (count == 5 && std::strcmp(arguments[1], "--feed") == 0) {
    const auto port = static_cast<std::uint16_t>(std::atoi(arguments[2]));
    run_raw(port, {.publishes = true,
                   .qos = std::atoi(arguments[3]),
                   .messages = std::strtoul(arguments[4], nullptr, 10)});
    return 0;
  }
  ::signal(SIGCHLD, SIG_DFL);
  const std::size_t messages = count > 1 ? std::strtoul(arguments[1], nullptr, 10) : 100'000;
  const Broker broker;
  std::printf("| flow              | client           | messages/s | CPU us/m | ratio |\n");
  std::printf("|---|---|---|---|---|\n");
  compare(broker, "subscribe, QoS 0", {.publishes = false, .qos = 0, .messages = messages});
  compare(broker, "subscribe, QoS 1", {.publishes = false, .qos = 1, .messages = messages});
  compare(broker, "publish, QoS 0", {.publishes = true, .qos = 0, .messages = messages});
  compare(broker, "publish, QoS 1", {.publishes = true, .qos = 1, .messages = messages});
}
