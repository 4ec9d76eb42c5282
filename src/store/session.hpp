// How a database session travels through the store's interface.
#pragma once

namespace soci {
class session;
}

namespace tributary::store {

// A reference to a session, as a complete type: GCC 12's std::move_only_function asks for the size
// of whatever its reference parameters refer to, and soci::session is only declared here. Turns
// into soci::session& by itself, so work is written as [](soci::session& sql) { … }.
class SessionRef {
 public:
  SessionRef(soci::session& session) : session_(&session) {}
  operator soci::session&() const { return *session_; }

 private:
  soci::session* session_;
};

}  // namespace tributary::store
