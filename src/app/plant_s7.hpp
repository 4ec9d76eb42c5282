// The simulated plant as an S7 CPU: the same model that the Modbus server shows, in S7's places.
#pragma once

#include "connectors/modbus/simulator/plant.hpp"
#include "connectors/s7/simulator/server.hpp"

namespace tributary::app {

// DB1 holds the plant's registers in their order (register n is word 2n), M its coils from M0.0 on,
// I its inputs from I0.0 on. What can be written there can be written here.
class PlantS7 final : public connectors::s7::simulator::Device {
 public:
  // `plant` must outlive this; same executor.
  PlantS7(connectors::modbus::simulator::Plant& plant, const Clock& clock)
      : plant_(plant), clock_(clock) {}

  std::uint8_t read(const connectors::s7::Item& item, std::span<std::byte> out) override;
  std::uint8_t write(const connectors::s7::Item& item, std::span<const std::byte> data) override;
  std::vector<std::uint16_t> data_blocks() const override { return {1}; }
  connectors::s7::ClockTime clock() const override;
  void set_clock(const connectors::s7::ClockTime& time) override;
  bool running() const override { return running_; }
  // A CPU that stops, stops its line; one that starts, starts it.
  void set_running(bool running) override;

 private:
  connectors::modbus::simulator::Plant& plant_;
  const Clock& clock_;
  std::chrono::nanoseconds ahead_{};  // of the machine's UTC
  bool running_ = true;
};

}  // namespace tributary::app
