#include "api/static_files.hpp"

#include <openssl/rand.h>

#include <algorithm>
#include <array>
#include <cctype>

#include "api/router.hpp"

namespace tributary::api {
namespace {

const WebAsset* find_asset(std::span<const WebAsset> assets, std::string_view path) {
  auto found = std::ranges::lower_bound(assets, path, {}, &WebAsset::path);
  return found != assets.end() && found->path == path ? &*found : nullptr;
}

// An address of the page's own router: plain words, no file extension.
bool is_page_address(std::string_view path) {
  auto is_plain = [](std::string_view segment) {
    return !segment.empty() && std::ranges::all_of(segment, [](char c) {
      return std::isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_';
    });
  };
  return path == "/" ||
         (!path.starts_with("/assets/") && std::ranges::all_of(split_path(path), is_plain));
}

std::string make_nonce() {
  std::array<unsigned char, 16> bytes{};
  RAND_bytes(bytes.data(), static_cast<int>(bytes.size()));
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string nonce;
  for (unsigned char byte : bytes) {
    nonce.push_back(kDigits[byte >> 4]);
    nonce.push_back(kDigits[byte & 15]);
  }
  return nonce;
}

Response page(const WebAsset& asset) {
  Response response;
  response.style_nonce = make_nonce();
  response.body = asset.content;
  for (auto at = response.body.find(kNoncePlaceholder); at != std::string::npos;
       at = response.body.find(kNoncePlaceholder, at)) {
    response.body.replace(at, kNoncePlaceholder.size(), response.style_nonce);
  }
  response.set("Content-Type", std::string(asset.content_type));
  response.set("Cache-Control", "no-store");
  return response;
}

bool accepts_gzip(const Request& request) {
  std::string_view accepted = request.header("accept-encoding");
  return accepted.find("gzip") != std::string_view::npos &&
         accepted.find("gzip;q=0") == std::string_view::npos;
}

Response file(const Request& request, const WebAsset& asset) {
  Response response;
  const std::string tag = "\"" + std::string(asset.etag) + "\"";
  response.set("ETag", tag);
  response.set("Cache-Control",
               asset.immutable ? "public, max-age=31536000, immutable" : "no-cache");
  response.set("Vary", "Accept-Encoding");
  if (request.header("if-none-match").find(tag) != std::string_view::npos) {
    response.status = 304;
    return response;
  }
  response.set("Content-Type", std::string(asset.content_type));
  response.static_body = asset.content;
  if (!asset.gzip.empty() && accepts_gzip(request)) {
    response.set("Content-Encoding", "gzip");
    response.static_body = asset.gzip;
  }
  return response;
}

}  // namespace

Answer static_answer(const Request& request, std::span<const WebAsset> assets) {
  const WebAsset* asset = find_asset(assets, request.path);
  if (!asset && is_page_address(request.path)) asset = find_asset(assets, "/index.html");
  if (!asset) {
    if (assets.empty() && request.path == "/") {
      return refuse(
          Problem(404, "not_found", "This build has no web interface; its API is at /api/v1."));
    }
    return refuse(Problem(404, "not_found", "There is nothing at this address."));
  }
  if (request.method != "GET" && request.method != "HEAD") {
    Problem problem(405, "method_not_allowed", "Possible here: GET, HEAD.");
    problem.headers.emplace_back("Allow", "GET, HEAD");
    return refuse(std::move(problem));
  }
  return asset->content_type.starts_with("text/html") ? page(*asset) : file(request, *asset);
}

}  // namespace tributary::api
