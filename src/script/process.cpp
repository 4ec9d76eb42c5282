#include "script/process.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <ctime>
#include <fstream>

namespace tributary::script {
namespace {

struct Actions {
  posix_spawn_file_actions_t value{};
  Actions() { ::posix_spawn_file_actions_init(&value); }
  ~Actions() { ::posix_spawn_file_actions_destroy(&value); }
  Actions(const Actions&) = delete;
  Actions& operator=(const Actions&) = delete;
};

struct Attributes {
  posix_spawnattr_t value{};
  Attributes() { ::posix_spawnattr_init(&value); }
  ~Attributes() { ::posix_spawnattr_destroy(&value); }
  Attributes(const Attributes&) = delete;
  Attributes& operator=(const Attributes&) = delete;
};

std::unexpected<Error> cannot(std::string_view what, int number) {
  return fail(
      ErrorClass::kInternal, "script_unavailable",
      fmt::format("A script worker could not be started: {}: {}.", what, std::strerror(number)));
}

int spawn_worker(const std::string& program, int channel, pid_t& pid) {
  Actions actions;
  // The channel comes first: descriptor 0 may be in use for something of the hub.
  ::posix_spawn_file_actions_adddup2(&actions.value, channel, 0);
  ::posix_spawn_file_actions_addopen(&actions.value, 1, "/dev/null", O_WRONLY, 0);
  ::posix_spawn_file_actions_addopen(&actions.value, 2, "/dev/null", O_WRONLY, 0);
  ::posix_spawn_file_actions_addclosefrom_np(&actions.value, 3);
  Attributes attributes;
  sigset_t none;
  sigset_t all;
  ::sigemptyset(&none);
  ::sigfillset(&all);
  ::posix_spawnattr_setsigmask(&attributes.value, &none);
  ::posix_spawnattr_setsigdefault(&attributes.value, &all);
  // A group of its own: Ctrl-C at the hub's terminal is the hub's business.
  ::posix_spawnattr_setpgroup(&attributes.value, 0);
  ::posix_spawnattr_setflags(
      &attributes.value, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  std::string path = program;
  std::string word = "script-worker";
  std::string zone = "TZ=UTC0";
  std::string locale = "LC_ALL=C";
  std::array<char*, 3> arguments = {path.data(), word.data(), nullptr};
  std::array<char*, 3> environment = {zone.data(), locale.data(), nullptr};
  return ::posix_spawn(&pid, program.c_str(), &actions.value, &attributes.value, arguments.data(),
                       environment.data());
}

}  // namespace

Result<std::unique_ptr<Process>> Process::start(const std::string& program) {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    return cannot("socketpair", errno);
  }
  pid_t pid = 0;
  const int failed = spawn_worker(program, ends[1], pid);
  ::close(ends[1]);
  if (failed != 0) {
    ::close(ends[0]);
    return cannot(program, failed);
  }
  std::unique_ptr<Process> process(new Process(pid, ends[0]));
  if (::fcntl(ends[0], F_SETFL, O_NONBLOCK) != 0) return cannot("fcntl", errno);
  return process;
}

Process::~Process() {
  kill();
  ::close(channel_);
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
}

void Process::kill() const {
  ::kill(pid_, SIGKILL);
}

std::optional<Duration> Process::cpu_time() const {
  clockid_t clock{};
  timespec time{};
  if (::clock_getcpuclockid(pid_, &clock) != 0 || ::clock_gettime(clock, &time) != 0) {
    return std::nullopt;
  }
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

bool Process::is_stopped() const {
  // "pid (name) state …", and the name may hold anything.
  std::ifstream file(fmt::format("/proc/{}/stat", pid_));
  std::string line;
  if (!std::getline(file, line)) return true;
  const auto end = line.rfind(") ");
  return end == std::string::npos || end + 2 >= line.size() ||
         std::string_view("TtZX").find(line[end + 2]) != std::string_view::npos;
}

}  // namespace tributary::script
