#include "connectors/s7/simulator/server.hpp"

#include <algorithm>
#include <limits>

#include "connectors/s7/simulator/answers.hpp"
#include "net/answering_server.hpp"

namespace tributary::connectors::s7::simulator {
// --- memory ---

bool Memory::fits(const Item& item) const {
  return begin_of(item) + size_of(item) <= bytes_.size();
}

std::uint8_t Memory::read(const Item& item, std::span<std::byte> out) const {
  if (!fits(item)) return kOutOfRange;
  const auto from = std::span(bytes_).subspan(begin_of(item), size_of(item));
  if (item.bit >= 0) {
    out[0] = (from[0] >> item.bit) & std::byte{1};
  } else {
    std::ranges::copy(from, out.begin());
  }
  return kItemDone;
}

std::uint8_t Memory::write(const Item& item, std::span<const std::byte> data) {
  if (!fits(item)) return kOutOfRange;
  const auto to = std::span(bytes_).subspan(begin_of(item), size_of(item));
  if (item.bit >= 0) {
    const std::byte mask = std::byte{1} << item.bit;
    to[0] = (to[0] & ~mask) | (data[0] != std::byte{0} ? mask : std::byte{0});
  } else {
    std::ranges::copy(data, to.begin());
  }
  return kItemDone;
}

Memory* PlainDevice::find(const Item& item) {
  const auto found =
      std::ranges::find_if(memories_, [&](const Memory& memory) { return memory.holds(item); });
  return found == memories_.end() ? nullptr : &*found;
}
std::uint8_t PlainDevice::read(const Item& item, std::span<std::byte> out) {
  const Memory* memory = find(item);
  return memory == nullptr ? kNoSuchObject : memory->read(item, out);
}
std::uint8_t PlainDevice::write(const Item& item, std::span<const std::byte> data) {
  Memory* memory = find(item);
  return memory == nullptr ? kNoSuchObject : memory->write(item, data);
}
std::vector<std::uint16_t> PlainDevice::data_blocks() const {
  std::vector<std::uint16_t> numbers;
  for (const Memory& memory : memories_) {
    if (memory.area() == Area::kDataBlocks) numbers.push_back(memory.db());
  }
  return numbers;
}

// --- server ---

struct S7Server::State {
  State(Executor executor, Device& device_, ServerOptions options_);

  Device& device;
  ServerOptions options;
  std::uint64_t requests = 0;
  net::AnsweringServer server;
};

namespace {

class Answers final : public net::Conversation {
 public:
  explicit Answers(S7Server::State& state) : state_(state) {}

  Taken take(std::span<const std::byte> bytes, std::span<std::byte> out) override {
    Frame frame;
    const FrameState state = parse_frame(bytes, frame);
    if (state == FrameState::kIncomplete) return {};
    if (state != FrameState::kComplete) return {.over = true};
    const std::size_t size = respond(frame, bytes.first(frame.size), out.first<kMaxFrameSize>());
    return {frame.size, size, size == 0};
  }

 private:
  // Size of the answer in `out`; 0: hang up.
  std::size_t respond(const Frame& frame, std::span<const std::byte> whole, Out out) {
    if (frame.type == CotpType::kConnectRequest) {
      return state_.server.clients() > state_.options.connections ? 0 : encode_confirm(whole, out);
    }
    Message message;
    if (frame.type != CotpType::kData || !frame.last || !parse_message(frame.payload, message))
      return 0;
    ++state_.requests;
    return answer(message, state_.device, state_.options, dialogue_, out);
  }

  S7Server::State& state_;
  Dialogue dialogue_;
};

}  // namespace

S7Server::State::State(Executor executor, Device& device_, ServerOptions options_)
    : device(device_),
      options(std::move(options_)),
      // Those beyond the places of the CPU are let in, and hung up on when they ask.
      server(executor, {kMaxFrameSize, kMaxFrameSize, std::numeric_limits<std::size_t>::max()},
             [this] { return std::make_unique<Answers>(*this); }) {}

S7Server::S7Server(Executor executor, Device& device, ServerOptions options)
    : state_(std::make_unique<State>(executor, device, std::move(options))) {}
S7Server::~S7Server() = default;

Result<std::uint16_t> S7Server::start(const std::string& host, std::uint16_t port) {
  return state_->server.start(host, port);
}

void S7Server::stop() {
  state_->server.stop();
}

std::size_t S7Server::clients() const {
  return state_->server.clients();
}
std::size_t S7Server::most_clients() const {
  return state_->server.most_clients();
}
std::uint64_t S7Server::requests() const {
  return state_->requests;
}

}  // namespace tributary::connectors::s7::simulator
