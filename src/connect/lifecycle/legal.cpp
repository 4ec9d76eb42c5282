// The listed transitions, once more and independent of the reducer: what history may show.
#include "connect/lifecycle/reduce.hpp"

namespace tributary::connect::lifecycle {

namespace {

constexpr unsigned bit(Status status) {
  return 1U << static_cast<unsigned>(status);
}

constexpr unsigned targets(Status from) {
  switch (from) {
    case Status::kIdle:
      return bit(Status::kConnecting) | bit(Status::kUnknown);
    case Status::kConnecting:
      return bit(Status::kConnected) | bit(Status::kDisconnected) | bit(Status::kFailed) |
             bit(Status::kIdle) | bit(Status::kSuspended) | bit(Status::kUnknown);
    case Status::kConnected:
      return bit(Status::kDisconnected) | bit(Status::kFailed) | bit(Status::kIdle) |
             bit(Status::kSuspended) | bit(Status::kConnecting) | bit(Status::kUnknown);
    case Status::kDisconnected:
      return bit(Status::kReconnecting) | bit(Status::kFailed) | bit(Status::kConnecting) |
             bit(Status::kIdle) | bit(Status::kSuspended) | bit(Status::kUnknown);
    case Status::kReconnecting:
      return bit(Status::kConnected) | bit(Status::kDisconnected) | bit(Status::kFailed) |
             bit(Status::kIdle) | bit(Status::kSuspended) | bit(Status::kUnknown);
    case Status::kFailed:
      return bit(Status::kReconnecting) | bit(Status::kConnecting) | bit(Status::kIdle) |
             bit(Status::kSuspended) | bit(Status::kUnknown);
    case Status::kSuspended:
      return bit(Status::kIdle) | bit(Status::kUnknown);
    case Status::kUnknown:  // after a boot (T27)
      return bit(Status::kIdle) | bit(Status::kSuspended);
  }
  return 0;
}

}  // namespace

bool is_legal(std::optional<Status> from, Status to) {
  if (!from) return to == Status::kIdle || to == Status::kSuspended;
  return (targets(*from) & bit(to)) != 0;
}

}  // namespace tributary::connect::lifecycle
