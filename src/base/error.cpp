#include "base/error.hpp"

namespace tributary {

std::string_view to_string(ErrorClass error_class) {
  switch (error_class) {
    case ErrorClass::kTransient:
      return "Transient";
    case ErrorClass::kName:
      return "Name";
    case ErrorClass::kBusy:
      return "Busy";
    case ErrorClass::kIdentity:
      return "Identity";
    case ErrorClass::kTrust:
      return "Trust";
    case ErrorClass::kConfiguration:
      return "Configuration";
    case ErrorClass::kTakeover:
      return "Takeover";
    case ErrorClass::kStandby:
      return "Standby";
    case ErrorClass::kFunction:
      return "Function";
    case ErrorClass::kCancelled:
      return "Cancelled";
    case ErrorClass::kInternal:
      return "Internal";
  }
  return "Internal";
}

bool is_connection_error(ErrorClass error_class) {
  switch (error_class) {
    case ErrorClass::kFunction:
    case ErrorClass::kCancelled:
    case ErrorClass::kInternal:
      return false;
    default:
      return true;
  }
}

}  // namespace tributary
