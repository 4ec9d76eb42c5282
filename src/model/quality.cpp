#include "model/quality.hpp"

#include <fmt/format.h>

#include <array>
#include <utility>

namespace tributary {

std::string_view Quality::name() const {
  if (is_good()) return "good";
  return is_uncertain() ? "uncertain" : "bad";
}

std::string Quality::code_name() const {
  static constexpr auto kNames = std::to_array<std::pair<std::uint32_t, std::string_view>>({
      {kGood.status_code(), "Good"},
      {kUncertain.status_code(), "Uncertain"},
      {kUncertainLastUsableValue.status_code(), "UncertainLastUsableValue"},
      {kBad.status_code(), "Bad"},
      {kBadCommunicationError.status_code(), "BadCommunicationError"},
      {kBadTimeout.status_code(), "BadTimeout"},
      {kBadOutOfService.status_code(), "BadOutOfService"},
      {kBadNotConnected.status_code(), "BadNotConnected"},
      {kBadDeviceFailure.status_code(), "BadDeviceFailure"},
      {kBadConfigurationError.status_code(), "BadConfigurationError"},
      {kBadOutOfRange.status_code(), "BadOutOfRange"},
      {kBadNotWritable.status_code(), "BadNotWritable"},
      {kBadWaitingForInitialData.status_code(), "BadWaitingForInitialData"},
      {kBadNoData.status_code(), "BadNoData"},
  });
  for (const auto& [code, name] : kNames) {
    if (code == code_) return std::string(name);
  }
  return fmt::format("0x{:08X}", code_);
}

}  // namespace tributary
