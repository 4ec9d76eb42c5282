// From a coroutine to the loop and back. For the files of this folder.
#pragma once

#include "http/loop.hpp"

namespace tributary::http {

// "2001:DB8:0::1" → "2001:db8::1": as sockets spell it.
std::string canonical(const std::string& ip);

// Resumes on the caller's executor.
Task<Result<Answer>> submit(std::shared_ptr<Loop> loop, std::unique_ptr<Transfer> transfer);

}  // namespace tributary::http
