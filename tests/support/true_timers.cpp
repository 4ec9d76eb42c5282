// Loaded into a hub before libfaketime, which moves the deadline of an absolute timerfd by the
// faked offset although the timer's clock is the monotonic one: a timer that is due at once would
// then fire a day late. Nothing else is touched.
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <unistd.h>

extern "C" int timerfd_settime(int timer, int flags, const itimerspec* value,
                               itimerspec* before) noexcept {
  return static_cast<int>(::syscall(SYS_timerfd_settime, timer, flags, value, before));
}
