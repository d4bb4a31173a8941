# What we link, and from where. docs/dependencies.md says why each.
find_package(Threads REQUIRED)
find_package(OpenSSL 3 REQUIRED)
find_package(CAF 0.18.7 REQUIRED COMPONENTS core io openssl)
find_package(Boost 1.81 REQUIRED) # headers only: Asio and Beast
find_package(RapidJSON REQUIRED)
find_package(CLI11 REQUIRED)
find_package(spdlog REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(CARES REQUIRED IMPORTED_TARGET libcares)
find_package(RocksDB REQUIRED)
find_path(HTTPLIB_INCLUDE_DIR httplib.h REQUIRED)

# RapidJSON's package predates imported targets.
add_library(vicket_rapidjson INTERFACE)
target_include_directories(vicket_rapidjson SYSTEM INTERFACE ${RAPIDJSON_INCLUDE_DIRS})
target_compile_definitions(vicket_rapidjson INTERFACE RAPIDJSON_HAS_STDSTRING=1)
# Read JSON with kParseValidateEncodingFlag; asserts of the library become exceptions nowhere: we check types first.

# cpp-httplib: the header, compiled with TLS; used for few connections only (tests, `vicket listen`).
add_library(vicket_httplib INTERFACE)
target_include_directories(vicket_httplib SYSTEM INTERFACE ${HTTPLIB_INCLUDE_DIR})
target_link_libraries(vicket_httplib INTERFACE OpenSSL::SSL OpenSSL::Crypto Threads::Threads)

if(VICKET_BUILD_TESTS)
  find_package(Catch2 3 REQUIRED)
endif()
