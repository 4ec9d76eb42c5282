#include "tests/support/process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <system_error>

#include "tests/support/sockets.hpp"

namespace tributary::test {
namespace {

constexpr std::chrono::milliseconds kPollInterval{10};

// A pause between two looks at something that gives no event; never a way to order things.
void pause() {
  ::poll(nullptr, 0, static_cast<int>(kPollInterval.count()));
}

std::filesystem::path make_temporary(bool directory) {
  std::string path = (std::filesystem::temp_directory_path() / "tributary-test-XXXXXX").string();
  if (directory) {
    if (::mkdtemp(path.data()) == nullptr)
      throw std::system_error(errno, std::generic_category(), "mkdtemp");
  } else {
    const int file = ::mkstemp(path.data());
    if (file < 0) throw std::system_error(errno, std::generic_category(), "mkstemp");
    ::close(file);
  }
  return path;
}

}  // namespace

Process::Process(std::vector<std::string> arguments) : output_(make_temporary(false)) {
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  const int file = ::open(output_.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC);
  const int parent = ::getpid();
  pid_ = ::fork();
  if (pid_ < 0) throw std::system_error(errno, std::generic_category(), "fork");
  if (pid_ == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(127);
    ::dup2(file, STDOUT_FILENO);
    ::dup2(file, STDERR_FILENO);
    ::execvp(argv[0], argv.data());
    ::_exit(127);
  }
  ::close(file);
}

Process::~Process() {
  if (running()) {
    ::kill(pid_, SIGTERM);
    wait(std::chrono::seconds(3));
    if (!reaped_) kill();
  }
  std::error_code ignored;
  std::filesystem::remove(output_, ignored);
}

bool Process::running() {
  if (reaped_) return false;
  if (::waitpid(pid_, &status_, WNOHANG) != pid_) return true;
  reaped_ = true;
  return false;
}

void Process::kill() {
  if (!running()) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, &status_, 0);
  reaped_ = true;
}

int Process::wait(std::chrono::milliseconds limit) {
  const auto end = std::chrono::steady_clock::now() + limit;
  while (running()) {
    if (std::chrono::steady_clock::now() >= end) return -1;
    pause();
  }
  return WIFEXITED(status_) ? WEXITSTATUS(status_) : -1;
}

std::string Process::wait_for_line(const std::string& prefix, std::chrono::milliseconds limit) {
  const auto end = std::chrono::steady_clock::now() + limit;
  while (true) {
    const bool alive = running();
    std::istringstream text(output());
    for (std::string line; std::getline(text, line);) {
      // A line without its end may still grow.
      if (line.starts_with(prefix) && !text.eof()) return line.substr(prefix.size());
    }
    if (!alive || std::chrono::steady_clock::now() >= end) return {};
    pause();
  }
}

std::string Process::output() const {
  std::ifstream file(output_);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

std::uint16_t free_port() {
  std::uint16_t port = 0;
  const Descriptor socket = bind_loopback(port);
  return port;
}

bool wait_for_port(std::uint16_t port, std::chrono::milliseconds limit) {
  const auto end = std::chrono::steady_clock::now() + limit;
  while (!connect_loopback(port).valid()) {
    if (std::chrono::steady_clock::now() >= end) return false;
    pause();
  }
  return true;
}

TempDir::TempDir() : path_(make_temporary(true)) {}
TempDir::~TempDir() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace tributary::test
