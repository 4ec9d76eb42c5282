// Beast, compiled once (BOOST_BEAST_SEPARATE_COMPILATION turns its headers into declarations).
#include <boost/beast/src.hpp>
