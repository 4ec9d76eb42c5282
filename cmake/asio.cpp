// Asio, compiled once (BOOST_ASIO_SEPARATE_COMPILATION), with its TLS part.
#include <boost/asio/impl/src.hpp>
#include <boost/asio/ssl/impl/src.hpp>
