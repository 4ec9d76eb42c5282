// Chance, always injected: a seed makes every run repeatable.
#pragma once

#include <cstdint>

namespace tributary {

class Random {
 public:
  virtual ~Random() = default;
  virtual std::uint64_t next() = 0;
};

// xoshiro256** (Blackman, Vigna: Scrambled linear pseudorandom number generators). Not for secrets:
// those come from libsodium's randombytes. Not thread-safe: one per executor.
class SeededRandom final : public Random {
 public:
  explicit SeededRandom(std::uint64_t seed);
  std::uint64_t next() override;

 private:
  std::uint64_t state_[4];
};

// A seed from the operating system.
std::uint64_t random_seed();

}  // namespace tributary
