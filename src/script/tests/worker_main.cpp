// The worker of the tests, and a probe: `script_worker probe WHAT` closes the same sandbox and then
// does what it must not.
#include <fcntl.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <csignal>
#include <string_view>

#include "script/worker/sandbox.hpp"
#include "script/worker/worker.hpp"

namespace {

constexpr int kStillHere = 42;

void attempt(std::string_view what) {
  if (what == "open") ::open("/etc/passwd", O_RDONLY);
  if (what == "create") ::open("/tmp/script-worker-was-here", O_CREAT | O_WRONLY, 0600);
  if (what == "socket") ::socket(AF_INET, SOCK_STREAM, 0);
  if (what == "fork") ::syscall(SYS_fork);
  if (what == "clone") ::syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
  if (what == "exec") ::execl("/bin/true", "true", nullptr);
  if (what == "kill") ::kill(::getppid(), SIGTERM);
  if (what == "ptrace") ::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr);
  if (what == "executable memory") {
    ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  }
  if (what == "write elsewhere") {
    const ssize_t ignored = ::write(1, "x", 1);
    static_cast<void>(ignored);
  }
  if (what == "stat") {
    struct stat found{};
    ::stat("/etc/passwd", &found);
  }
}

}  // namespace

int main(int count, char** values) {
  const std::string_view command = count > 1 ? values[1] : "";
  if (command == "script-worker") return tributary::script::run_worker();
  if (command != "probe" || count < 3) return 2;
  if (!tributary::script::enter_sandbox().empty()) return 1;
  attempt(values[2]);
  ::_exit(kStillHere);
}
