// The files of the web interface, built into the binary (tools/embed_files.py --web).
#pragma once

#include <span>
#include <string_view>

namespace tributary {

struct WebAsset {
  std::string_view path;          // "/index.html"
  std::string_view content_type;  // "text/html; charset=utf-8"
  std::string_view etag;          // SHA-256 of the content, hexadecimal, without quotes
  std::string_view content;
  std::string_view gzip;   // the content compressed; empty when that would not be smaller
  bool immutable = false;  // the name holds a hash of the content: may be cached for ever
};

// Sorted by path; empty when the web interface was not built. Defined by the generated
// web_assets.cpp.
std::span<const WebAsset> web_assets();

}  // namespace tributary
