#include "connectors/modbus/simulator/server.hpp"

#include "connectors/modbus/src/codec.hpp"
#include "net/answering_server.hpp"

namespace tributary::connectors::modbus::simulator {
namespace {

// More than any test asks for; beyond it a client is turned away like a PLC that has no connection
// left.
constexpr std::size_t kMaxClients = 4096;

class Answers final : public net::Conversation {
 public:
  explicit Answers(Responder& responder) : responder_(responder) {}

  Taken take(std::span<const std::byte> bytes, std::span<std::byte> out) override {
    Frame frame;
    const FrameState state = parse_frame(bytes, frame);
    if (state == FrameState::kIncomplete) return {};
    if (state == FrameState::kNotModbus) return {.over = true};
    const auto reply = out.first<kMaxFrameSize>();
    const std::size_t size = responder_.answer(frame.unit, frame.pdu, reply.subspan<kHeaderSize>());
    return {frame.size, put_header(frame.transaction, frame.unit, size, reply)};
  }

 private:
  Responder& responder_;
};

}  // namespace

struct ModbusServer::State {
  State(Executor executor, Device& device)
      : responder(device), server(executor, {kMaxFrameSize, kMaxFrameSize, kMaxClients}, [this] {
          return std::make_unique<Answers>(responder);
        }) {}

  Responder responder;
  net::AnsweringServer server;
};

ModbusServer::ModbusServer(Executor executor, Device& device)
    : state_(std::make_unique<State>(executor, device)) {}
ModbusServer::~ModbusServer() = default;

Result<std::uint16_t> ModbusServer::start(const std::string& host, std::uint16_t port) {
  return state_->server.start(host, port);
}

void ModbusServer::stop() {
  state_->server.stop();
}

std::size_t ModbusServer::clients() const {
  return state_->server.clients();
}
std::uint64_t ModbusServer::requests() const {
  return state_->responder.requests();
}

}  // namespace tributary::connectors::modbus::simulator
