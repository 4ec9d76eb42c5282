// Answers of a worker that was taken over, read by the hub.
#include <cstdlib>

#include "script/frames.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tributary;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto answer = script::decode_answer(bytes);
  if (const auto* record = answer ? std::get_if<script::RecordAnswer>(&*answer) : nullptr) {
    for (const auto& outcome : record->outcomes) {
      // What is accepted is a document that can be written and read.
      if (!outcome || !outcome->value) continue;
      if (!parse_json(to_text(*outcome->value))) std::abort();
    }
  }
  script::Request request;
  static_cast<void>(script::decode_request(bytes, request));
  return 0;
}
