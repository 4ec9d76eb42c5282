#include "tests/support/fault_flow.hpp"

#include <sys/socket.h>
#include <algorithm>
#include <cerrno>
#include <utility>

namespace tributary::test {

namespace {

// A slow sink or a long delay must not fill the memory: beyond this the source waits.
constexpr std::size_t kMaxKept = std::size_t{1} << 20;
constexpr std::size_t kReadSize = std::size_t{64} << 10;
// A rate is kept in steps of this length, so that a small one does not wake the thread per byte.
constexpr std::chrono::milliseconds kRateStep{10};

bool would_block() {
  return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
}

}  // namespace

void Flow::set_fault(const Fault& fault, Time now) {
  fault_ = fault;
  counted_ = 0;
  budget_ = 0;
  budget_at_ = now;
}

bool Flow::blocked() const {
  return fault_.kind == Fault::Kind::kStall;
}

bool Flow::hides_end() const {
  if (fault_.kind == Fault::Kind::kMute) return side_ == Side::kServer;
  return fault_.kind == Fault::Kind::kStallAfter && fault_.side == side_;
}

bool Flow::wants_input() const {
  return !blocked() && !at_end_ && !cut_due_ && kept_ < kMaxKept;
}

bool Flow::wants_room(Time now) const {
  return !blocked() && !pieces_.empty() && due() <= now;
}

Flow::Time Flow::due() const {
  if (blocked() || pieces_.empty()) return Time::max();
  if (fault_.kind == Fault::Kind::kRate && budget_ < 1)
    return std::max(pieces_.front().due, budget_at_ + kRateStep);
  return pieces_.front().due;
}

bool Flow::finished() const {
  if (blocked() || !pieces_.empty()) return false;
  return cut_due_ || (at_end_ && !hides_end());
}

void Flow::keep(std::string bytes, Time now) {
  const bool concerned = fault_.side == side_;
  const std::uint64_t before = counted_;
  counted_ += bytes.size();
  const std::uint64_t left = fault_.count > before ? fault_.count - before : 0;
  switch (fault_.kind) {
    case Fault::Kind::kMute:
      return;
    case Fault::Kind::kStallAfter:
      if (concerned) bytes.resize(std::min<std::uint64_t>(bytes.size(), left));
      break;
    case Fault::Kind::kCutAfter:
      if (concerned && bytes.size() >= left) {
        bytes.resize(left);
        cut_due_ = true;
      }
      break;
    case Fault::Kind::kCorrupt:
      if (concerned && before <= fault_.count && left < bytes.size()) {
        char& byte = bytes[static_cast<std::size_t>(left)];
        byte = static_cast<char>(~static_cast<unsigned char>(byte));
      }
      break;
    default:
      break;
  }
  if (bytes.empty()) return;
  kept_ += bytes.size();
  pieces_.push_back(
      {std::move(bytes), fault_.kind == Fault::Kind::kDelay ? now + fault_.delay : now});
}

Flow::Outcome Flow::take(const Descriptor& from, Time now) {
  if (!wants_input()) return Outcome::kGoesOn;
  std::string buffer(kReadSize, '\0');
  const ssize_t count = ::recv(from.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
  if (count < 0) return would_block() ? Outcome::kGoesOn : Outcome::kBroken;
  if (count == 0) {
    at_end_ = true;
  } else {
    buffer.resize(static_cast<std::size_t>(count));
    taken_ += buffer.size();
    keep(std::move(buffer), now);
  }
  return finished() ? Outcome::kEnded : Outcome::kGoesOn;
}

std::size_t Flow::allowance(std::size_t size, Time now) {
  if (fault_.kind == Fault::Kind::kSlice) return std::min<std::size_t>(size, 1);
  if (fault_.kind != Fault::Kind::kRate) return size;
  const std::chrono::duration<double> passed = now - std::exchange(budget_at_, now);
  const auto rate = static_cast<double>(fault_.count);
  // What was not used for a second is forfeited: a quiet time earns no burst.
  budget_ = std::min(budget_ + passed.count() * rate, std::max(rate, 1.0));
  return std::min(size, static_cast<std::size_t>(budget_));
}

Flow::Outcome Flow::give(const Descriptor& to, Time now) {
  while (wants_room(now)) {
    Piece& piece = pieces_.front();
    const std::size_t allowed = allowance(piece.bytes.size() - piece.gone, now);
    if (allowed == 0) break;
    const ssize_t count =
        ::send(to.get(), piece.bytes.data() + piece.gone, allowed, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (count < 0 && would_block()) break;
    if (count < 0) return Outcome::kBroken;
    const auto gone = static_cast<std::size_t>(count);
    kept_ -= gone;
    piece.gone += gone;
    if (fault_.kind == Fault::Kind::kRate) budget_ -= static_cast<double>(gone);
    if (piece.gone == piece.bytes.size()) pieces_.pop_front();
  }
  return finished() ? Outcome::kEnded : Outcome::kGoesOn;
}

}  // namespace tributary::test
