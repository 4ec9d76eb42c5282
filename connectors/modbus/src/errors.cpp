#include "connectors/modbus/src/errors.hpp"

#include <fmt/format.h>

namespace tributary::connectors::modbus {
namespace {

struct Meaning {
  std::uint8_t exception;
  ErrorClass error_class;
  const char* code;
  const char* text;
  const char* hint;
  Quality quality;
};

constexpr Meaning kMeanings[] = {
    {1, ErrorClass::kFunction, "illegal_function", "it does not know this function",
     "Does the device have this area at all? Some have only holding registers, some cannot be "
     "written.",
     kBadConfigurationError},
    {2, ErrorClass::kFunction, "illegal_address", "it does not have this address",
     "Addresses count from 0 here: what a manual calls 40001 is holding register 0. Is the area "
     "right?",
     kBadConfigurationError},
    {3, ErrorClass::kFunction, "illegal_value", "it does not accept the value or the length",
     "When writing, is the value in the device's range? When reading, does the device allow fewer "
     "registers per request "
     "(setting maxRegistersPerRead)?",
     kBadOutOfRange},
    {4, ErrorClass::kFunction, "device_failure", "it failed while it did this",
     "Look at the device's own diagnostics.", kBadDeviceFailure},
    {5, ErrorClass::kBusy, "still_processing", "it accepted this and is still working on it",
     "Read the value back later to see whether it was done.", kBadNoData},
    {6, ErrorClass::kBusy, "device_busy", "it is busy with another command",
     "Ask less often, or with fewer points.", kBadNoData},
    {8, ErrorClass::kFunction, "memory_parity_error", "its memory has a parity error",
     "The device may need service.", kBadDeviceFailure},
    {10, ErrorClass::kFunction, "gateway_path_unavailable", "the gateway has no free path to it",
     "Is the gateway's serial line configured, and is it overloaded?", kBadCommunicationError},
    {11, ErrorClass::kFunction, "gateway_target_no_response", "the gateway got no answer from it",
     "Is the unit powered and wired to the gateway, and is the unit id right?",
     kBadCommunicationError},
};

const Meaning* find_meaning(std::uint8_t exception) {
  for (const Meaning& meaning : kMeanings) {
    if (meaning.exception == exception) return &meaning;
  }
  return nullptr;
}

std::string_view action(FunctionCode function) {
  switch (function) {
    case FunctionCode::kReadCoils:
      return "read coil";
    case FunctionCode::kReadDiscreteInputs:
      return "read discrete input";
    case FunctionCode::kReadHoldingRegisters:
      return "read holding register";
    case FunctionCode::kReadInputRegisters:
      return "read input register";
    case FunctionCode::kWriteSingleCoil:
    case FunctionCode::kWriteMultipleCoils:
      return "write coil";
    case FunctionCode::kWriteSingleRegister:
    case FunctionCode::kWriteMultipleRegisters:
    case FunctionCode::kMaskWriteRegister:
      return "write holding register";
    case FunctionCode::kReadWriteRegisters:
      return "write registers and read holding register";
    case FunctionCode::kReadFifoQueue:
      return "read the queue at holding register";
    case FunctionCode::kDiagnostics:
      return "run diagnostic";
    case FunctionCode::kReadExceptionStatus:
    case FunctionCode::kGetCommEventCounter:
    case FunctionCode::kReadDeviceIdentification:
      break;
  }
  return "use address";
}

}  // namespace

std::string describe(const Request& request, std::uint8_t unit) {
  switch (request.function) {
    case FunctionCode::kReadExceptionStatus:
      return fmt::format("read the exception status of unit {}", unit);
    case FunctionCode::kGetCommEventCounter:
      return fmt::format("read the event counter of unit {}", unit);
    case FunctionCode::kReadDeviceIdentification:
      return fmt::format("read the identification of unit {}", unit);
    default:
      break;
  }
  if (request.quantity == 1)
    return fmt::format("{} {} of unit {}", action(request.function), request.address, unit);
  return fmt::format("{}s {} to {} of unit {}", action(request.function), request.address,
                     std::uint32_t{request.address} + request.quantity - 1, unit);
}

Error exception_error(std::uint8_t exception, const Request& request, std::uint8_t unit) {
  const Meaning* meaning = find_meaning(exception);
  if (meaning == nullptr) {
    return {ErrorClass::kFunction, "device_exception",
            fmt::format("The device refused to {}: its own exception code {}.",
                        describe(request, unit), exception),
            "The device's manual says what this code means."};
  }
  return {meaning->error_class, meaning->code,
          fmt::format("The device refused to {}: {} (exception {}).", describe(request, unit),
                      meaning->text, exception),
          meaning->hint};
}

Error no_answer(std::string_view peer, const Request& request, std::uint8_t unit) {
  Error error(ErrorClass::kTransient, "timeout",
              fmt::format("{} did not answer in time to: {}.", peer, describe(request, unit)),
              "Is the device running, is the unit id right (devices ignore requests to others), "
              "and is the request timeout long enough for it?");
  error.outcome_unknown = is_write(request.function);
  return error;
}

Quality exception_quality(std::uint8_t exception) {
  const Meaning* meaning = find_meaning(exception);
  return meaning == nullptr ? kBadDeviceFailure : meaning->quality;
}

bool worth_splitting(std::uint8_t exception) {
  return exception == static_cast<std::uint8_t>(ExceptionCode::kIllegalDataAddress) ||
         exception == static_cast<std::uint8_t>(ExceptionCode::kIllegalDataValue);
}

bool unit_is_away(std::uint8_t exception) {
  return exception == static_cast<std::uint8_t>(ExceptionCode::kGatewayPathUnavailable) ||
         exception == static_cast<std::uint8_t>(ExceptionCode::kGatewayTargetNoResponse);
}

}  // namespace tributary::connectors::modbus
