// A serial line without hardware: a pseudo-terminal with slaves at its other end.
#pragma once

#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <termios.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "connectors/modbus/simulator/responder.hpp"
#include "connectors/modbus/src/line_frame.hpp"

namespace tributary::connectors::modbus {

// Both ends; what is written to one comes out of the other, unchanged.
class PseudoTerminal {
 public:
  PseudoTerminal() {
    std::array<char, 128> name{};
    termios raw{};
    ::cfmakeraw(&raw);
    if (::openpty(&master_, &slave_, name.data(), &raw, nullptr) != 0)
      throw std::runtime_error("no pseudo-terminal");
    path_ = name.data();
  }
  ~PseudoTerminal() { hang_up(); }
  PseudoTerminal(const PseudoTerminal&) = delete;
  PseudoTerminal& operator=(const PseudoTerminal&) = delete;

  const std::string& path() const { return path_; }
  int master() const { return master_; }
  // As its user set them.
  termios settings() const {
    termios now{};
    if (::tcgetattr(slave_, &now) != 0) throw std::runtime_error("no settings");
    return now;
  }
  // The adapter is unplugged.
  void hang_up() {
    if (slave_ >= 0) ::close(std::exchange(slave_, -1));
    if (master_ >= 0) ::close(std::exchange(master_, -1));
  }

 private:
  int master_ = -1;
  int slave_ = -1;  // kept open, so that the line survives its users
  std::string path_;
};

// Units 1 to 9 of a line: registers hold 100 × unit + address, and can be written.
class LineUnits final : public simulator::Device {
 public:
  std::optional<ExceptionCode> read(std::uint8_t unit, const Request& request,
                                    std::span<std::byte> out) override {
    if (is_bit_function(request.function)) return std::nullopt;
    if (request.address + request.quantity > 50) return ExceptionCode::kIllegalDataAddress;
    for (std::size_t i = 0; i < request.quantity; ++i) {
      const std::size_t at = request.address + i;
      const auto own = static_cast<std::uint16_t>(100 * unit + at);
      store_u16(&out[2 * i], written_[unit][at].value_or(own));
    }
    return std::nullopt;
  }
  std::optional<ExceptionCode> write(std::uint8_t unit, const Request& request) override {
    if (request.address + request.data.size() / 2 > 50) return ExceptionCode::kIllegalDataAddress;
    for (std::size_t i = 0; 2 * i < request.data.size(); ++i)
      written_[unit][request.address + i] = load_u16(&request.data[2 * i]);
    return std::nullopt;
  }

 private:
  std::array<std::array<std::optional<std::uint16_t>, 50>, 10> written_{};
};

// Serves the line on a thread of its own.
class LineServer {
 public:
  // `answers` says whether a unit is there.
  LineServer(
      PseudoTerminal& line, Framing framing,
      std::function<bool(std::uint8_t unit)> answers = [](std::uint8_t) { return true; },
      bool echoes = false)
      : line_(line), framing_(framing), answers_(std::move(answers)), echoes_(echoes) {
    thread_ = std::thread([this] { serve(); });
  }
  ~LineServer() {
    stopping_ = true;
    thread_.join();
  }
  LineServer(const LineServer&) = delete;
  LineServer& operator=(const LineServer&) = delete;

  int requests() const { return requests_; }
  // Two requests were on the line at once.
  bool collided() const { return collided_; }

 private:
  void serve() {
    std::vector<std::byte> heard;
    while (!stopping_) {
      pollfd ready{line_.master(), POLLIN, 0};
      if (::poll(&ready, 1, 20) <= 0) continue;
      std::array<std::byte, 256> part;
      const ssize_t count = ::read(line_.master(), part.data(), part.size());
      if (count <= 0) continue;
      heard.insert(heard.end(), part.begin(), part.begin() + count);
      if (echoes_) send(std::span<const std::byte>(part).first(static_cast<std::size_t>(count)));
      LineFrame frame;
      LineScratch scratch;
      if (!find_line_frame(framing_, Side::kRequest, std::nullopt, heard, frame, scratch)) continue;
      ++requests_;
      if (frame.end != heard.size()) collided_ = true;
      if (answers_(frame.unit)) answer(frame);
      heard.clear();
    }
  }
  void answer(const LineFrame& frame) {
    std::array<std::byte, kMaxPduSize> pdu;
    const std::size_t size = responder_.answer(frame.unit, frame.pdu, pdu);
    std::array<std::byte, kMaxLineFrame> out;
    const auto body = std::span<const std::byte>(pdu).first(size);
    send(std::span<const std::byte>(out).first(encode_line_frame(framing_, frame.unit, body, out)));
  }
  void send(std::span<const std::byte> bytes) {
    while (!bytes.empty()) {
      const ssize_t count = ::write(line_.master(), bytes.data(), bytes.size());
      if (count <= 0) return;
      bytes = bytes.subspan(static_cast<std::size_t>(count));
    }
  }

  PseudoTerminal& line_;
  Framing framing_;
  std::function<bool(std::uint8_t)> answers_;
  bool echoes_;
  LineUnits units_;
  simulator::Responder responder_{units_};
  std::atomic<int> requests_ = 0;
  std::atomic<bool> collided_ = false;
  std::atomic<bool> stopping_ = false;
  std::thread thread_;
};

}  // namespace tributary::connectors::modbus
