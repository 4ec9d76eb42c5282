// The table of the API: every route with its policy and its handler, and how a path finds its row.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "api/http.hpp"

namespace tributary::api {

struct Services;

// Who may call a route. There is no default: a route without a policy does not compile.
enum class Policy : std::uint8_t {
  kPublic,         // anybody
  kAuthenticated,  // a session, a token or the control socket
  kPerson,         // a session or the control socket: tokens must not make or revoke tokens
};

enum class Body : std::uint8_t { kNone, kOptional, kRequired };

// Whether answers to POST may be kept for Idempotency-Key: not those that hold credentials.
enum class Replay : std::uint8_t { kNo, kYes };

using Handler = Task<Answer> (*)(Services& services, Request& request);

struct Route {
  std::string_view method;
  std::string_view path;  // "/api/v1/connections/{id}"
  Policy policy;
  Body body;
  Replay replay;
  std::string_view action;  // for the audit: "connection.create"; empty for what only reads
  Handler handler;
};

// Every route. Defined in routes.cpp.
std::span<const Route> all_routes();

class Router {
 public:
  explicit Router(std::span<const Route> routes);

  struct Match {
    const Route* route = nullptr;  // null: no such path, or not with this method
    Pairs parameters;
    std::string allow;       // methods of the path, "GET, HEAD"; empty: there is no such path
    bool is_public = false;  // some method of the path is public
  };
  // `path` as sent; each segment is decoded on its own, so an encoded slash never becomes a
  // separator. HEAD finds GET.
  Match find(std::string_view method, std::string_view path) const;

 private:
  struct Entry {
    const Route* route;
    std::vector<std::string_view> segments;
  };
  std::vector<Entry> entries_;
};

// "/a/b" → {"a", "b"}; "/a//b" and "/a/" keep their empty segments.
std::vector<std::string_view> split_path(std::string_view path);

}  // namespace tributary::api
