// Beast and Asio's TLS, compiled once (cmake/Dependencies.cmake turns their headers into
// declarations).
#include <boost/asio/ssl/impl/src.hpp>
#include <boost/beast/src.hpp>
