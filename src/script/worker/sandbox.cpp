#include "script/worker/sandbox.hpp"

#include <fmt/format.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fstream>
#include <memory>

namespace tributary::script {
namespace {

// Sanitizers reserve terabytes of address space.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kSanitized = true;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
constexpr bool kSanitized = true;
#else
constexpr bool kSanitized = false;
#endif
#else
constexpr bool kSanitized = false;
#endif

std::string problem(std::string_view what) {
  return fmt::format("{}: {}", what, std::strerror(errno));
}

rlim_t address_space_now() {
  std::ifstream file("/proc/self/statm");
  rlim_t pages = 0;
  file >> pages;
  return pages * static_cast<rlim_t>(::sysconf(_SC_PAGESIZE));
}

std::string set_limits() {
  struct Limit {
    __rlimit_resource resource;
    rlim_t value;
  };
  constexpr std::array<Limit, 7> kLimits = {{{RLIMIT_CPU, kWorkerCpuSeconds},
                                             {RLIMIT_FSIZE, 0},
                                             {RLIMIT_CORE, 0},
                                             {RLIMIT_NPROC, 0},
                                             {RLIMIT_MEMLOCK, 0},
                                             {RLIMIT_MSGQUEUE, 0},
                                             {RLIMIT_NOFILE, 3}}};
  const rlim_t memory = address_space_now() + kWorkerMemoryBytes;
  const rlimit address_space{memory, memory};
  if (!kSanitized && ::setrlimit(RLIMIT_AS, &address_space) != 0) return problem("RLIMIT_AS");
  for (const Limit& limit : kLimits) {
    const rlimit value{limit.value, limit.value};
    if (::setrlimit(limit.resource, &value) != 0) return problem("setrlimit");
  }
  return {};
}

using Filter = std::unique_ptr<void, decltype(&seccomp_release)>;

bool allow(const Filter& filter, int call) {
  return seccomp_rule_add(filter.get(), SCMP_ACT_ALLOW, call, 0) == 0;
}
bool allow(const Filter& filter, int call, scmp_arg_cmp argument) {
  return seccomp_rule_add(filter.get(), SCMP_ACT_ALLOW, call, 1, argument) == 0;
}

std::string close_filter() {
  const Filter filter(seccomp_init(SCMP_ACT_KILL_PROCESS), &seccomp_release);
  if (!filter) return "seccomp_init failed";
  // No memory that can be executed: what is not in the program now will never run.
  const scmp_arg_cmp data_only = SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0);
  const scmp_arg_cmp channel = SCMP_A0(SCMP_CMP_EQ, kChannel);
  bool ok = allow(filter, SCMP_SYS(read), channel) && allow(filter, SCMP_SYS(write), channel) &&
            allow(filter, SCMP_SYS(mmap), data_only) &&
            allow(filter, SCMP_SYS(mprotect), data_only);
  for (const int call :
       {SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise), SCMP_SYS(brk), SCMP_SYS(futex),
        SCMP_SYS(clock_gettime), SCMP_SYS(gettimeofday), SCMP_SYS(rt_sigreturn),
        SCMP_SYS(restart_syscall), SCMP_SYS(exit), SCMP_SYS(exit_group)}) {
    ok = ok && allow(filter, call);
  }
  if (kSanitized) {
    for (const int call : {SCMP_SYS(sched_yield), SCMP_SYS(gettid), SCMP_SYS(getpid),
                           SCMP_SYS(rt_sigprocmask), SCMP_SYS(sigaltstack)}) {
      ok = ok && allow(filter, call);
    }
  }
  if (!ok) return "seccomp_rule_add failed";
  if (seccomp_load(filter.get()) != 0) return "seccomp_load failed";
  return {};
}

}  // namespace

std::string enter_sandbox() {
  if (::close_range(3, ~0U, 0) != 0) return problem("close_range");
  // When the hub goes, so does this.
  if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) return problem("PR_SET_PDEATHSIG");
  if (::prctl(PR_SET_DUMPABLE, 0) != 0) return problem("PR_SET_DUMPABLE");
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return problem("PR_SET_NO_NEW_PRIVS");
  constexpr int kNicer = 5;  // the hub's own work goes first
  if (::setpriority(PRIO_PROCESS, 0, kNicer) != 0) return problem("setpriority");
  if (std::string wrong = set_limits(); !wrong.empty()) return wrong;
  return close_filter();
}

}  // namespace tributary::script
