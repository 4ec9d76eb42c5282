// What this process uses of the machine, as the kernel tells it.
#pragma once

#include <cstdint>

namespace tributary::api {

std::int64_t resident_bytes();
std::int64_t open_descriptors();
std::int64_t thread_count();
double cpu_seconds();  // user and system

}  // namespace tributary::api
