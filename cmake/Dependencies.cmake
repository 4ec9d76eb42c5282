# Every third-party library, found once. Licences: docs/dependencies.md.
find_package(Threads REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(prometheus-cpp CONFIG REQUIRED)
find_package(CURL REQUIRED)
find_package(yaml-cpp REQUIRED)
find_package(date REQUIRED)
# The system's interpreter: it has the Debian packages that the tests use.
if(EXISTS /usr/bin/python3)
  set(Python3_EXECUTABLE /usr/bin/python3)
endif()
find_package(Python3 REQUIRED COMPONENTS Interpreter)
find_package(PkgConfig REQUIRED)
pkg_check_modules(SODIUM REQUIRED IMPORTED_TARGET libsodium)
pkg_check_modules(LIBPQ REQUIRED IMPORTED_TARGET libpq)
pkg_check_modules(PUGIXML REQUIRED IMPORTED_TARGET pugixml)
pkg_check_modules(SECCOMP REQUIRED IMPORTED_TARGET libseccomp)
pkg_check_modules(SQLITE3 REQUIRED IMPORTED_TARGET sqlite3)
find_path(BOOST_INCLUDE boost/version.hpp REQUIRED)
find_path(SOCI_INCLUDE soci/soci.h REQUIRED)
find_path(JSONCONS_INCLUDE jsoncons/json.hpp REQUIRED)
find_path(QUICKJS_INCLUDE quickjs/quickjs.h REQUIRED)
find_library(SIMDJSON_LIBRARY simdjson REQUIRED)
find_library(QUICKJS_LIBRARY quickjs PATH_SUFFIXES quickjs REQUIRED)
find_path(OPEN62541_INCLUDE open62541/client.h REQUIRED)
find_library(OPEN62541_LIBRARY open62541 REQUIRED)
find_library(SOCI_CORE soci_core REQUIRED)
find_library(SOCI_SQLITE3 soci_sqlite3 REQUIRED)

add_library(third_party_soci INTERFACE)
target_include_directories(third_party_soci SYSTEM INTERFACE ${SOCI_INCLUDE}/soci ${SOCI_INCLUDE})
target_link_libraries(third_party_soci INTERFACE ${SOCI_CORE} ${SOCI_SQLITE3} PkgConfig::SQLITE3)

add_library(third_party_quickjs INTERFACE)
target_include_directories(third_party_quickjs SYSTEM INTERFACE ${QUICKJS_INCLUDE})
target_link_libraries(third_party_quickjs INTERFACE ${QUICKJS_LIBRARY} m ${CMAKE_DL_LIBS})

# Its pkg-config file names libraries that it links itself.
add_library(third_party_open62541 INTERFACE)
target_include_directories(third_party_open62541 SYSTEM INTERFACE ${OPEN62541_INCLUDE})
target_link_libraries(third_party_open62541 INTERFACE ${OPEN62541_LIBRARY})

# Asio and Beast are header-only by default; here each is compiled once (cmake/asio.cpp, src/api/beast.cpp). Asio comes
# with every target because the precompiled header holds it.
add_library(asio_compiled STATIC ${CMAKE_SOURCE_DIR}/cmake/asio.cpp)
target_compile_definitions(asio_compiled PUBLIC
  BOOST_ASIO_SEPARATE_COMPILATION BOOST_ASIO_NO_DEPRECATED BOOST_BEAST_SEPARATE_COMPILATION)
target_link_libraries(asio_compiled PUBLIC tributary_options Threads::Threads OpenSSL::SSL OpenSSL::Crypto)
add_library(third_party_asio INTERFACE)
target_link_libraries(third_party_asio INTERFACE asio_compiled)

if(TRIBUTARY_BENCH)
  pkg_check_modules(MOSQUITTO REQUIRED IMPORTED_TARGET libmosquitto)  # the raw loop to compare with
endif()
if(TRIBUTARY_TESTS)
  find_package(GTest REQUIRED)
  find_package(date REQUIRED)
  include(GoogleTest)
endif()
