// How the program ends: each reason has a number of its own, so that scripts and service managers
// can tell them apart.
#pragma once

#include <string>

#include "base/error.hpp"

namespace tributary::app {

enum ExitCode : int {
  kOk = 0,
  kFailed = 1,              // anything without a number of its own
  kUsage = 64,              // wrong arguments
  kInvalidDocument = 65,    // a document that apply or plan cannot use
  kServerUnreachable = 69,  // no hub answers
  kRefused = 70,            // the hub answered and refused
  kDataDirUnwritable = 71,
  kDataDirLocked = 72,  // another hub uses it
  kDiskFull = 73,
  kStoreDamaged = 74,
  kStoreTooNew = 75,  // made by a later version
  kMasterKey = 76,    // missing, unsafe or invalid
  kPortTaken = 77,
  kAddressUnusable = 78,
  kCertificate = 79,
  kStopTimeout = 80,  // the stop took too long and was cut short
};

// The number for an error's code; kFailed for those without one.
ExitCode exit_code_of(const Error& error);

// "71  the data directory cannot be written", one line each, for --help.
std::string exit_code_table();

// One sentence on standard error, and the number.
int report(const Error& error);

}  // namespace tributary::app
