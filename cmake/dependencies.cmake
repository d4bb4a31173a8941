# What we link, and from where. docs/dependencies.md says why each.

# What Debian has no package of lies where scripts/setup built it. A CAF of one's own in CMAKE_PREFIX_PATH is found
# first; on a system that the script does not know, that one is the only one.
set(setup_compiler ${CMAKE_CXX_COMPILER})
if(VICKET_FUZZ) # clang, with the same standard library: what the system's compiler has built will do
  set(setup_compiler c++)
endif()
execute_process(
  COMMAND ${CMAKE_COMMAND} -E env "CXX=${setup_compiler}"
          ${PROJECT_SOURCE_DIR}/scripts/setup --prefix-path "--sanitize=${VICKET_SANITIZE}"
  OUTPUT_VARIABLE setup_prefixes OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
list(APPEND CMAKE_PREFIX_PATH ${setup_prefixes})
find_package(Threads REQUIRED)
find_package(OpenSSL 3 REQUIRED)
find_package(CAF 0.18.7 REQUIRED COMPONENTS core)
find_package(Boost 1.81 REQUIRED CONFIG) # headers only: Asio and Beast
find_package(RapidJSON REQUIRED)
find_package(CLI11 REQUIRED)
find_package(spdlog REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(CARES REQUIRED IMPORTED_TARGET libcares)
find_package(RocksDB REQUIRED)
pkg_check_modules(LIBPQ REQUIRED IMPORTED_TARGET libpq)
pkg_check_modules(ZSTD REQUIRED IMPORTED_TARGET libzstd)
pkg_check_modules(RE2 REQUIRED IMPORTED_TARGET re2)
pkg_check_modules(HTTPLIB REQUIRED IMPORTED_TARGET cpp-httplib)

# RocksDB's package offers both forms; the shared one is 20 MB less in each program and links at once.
add_library(vicket_rocksdb INTERFACE)
target_link_libraries(vicket_rocksdb INTERFACE
  $<IF:$<TARGET_EXISTS:RocksDB::rocksdb-shared>,RocksDB::rocksdb-shared,RocksDB::rocksdb>)

# RapidJSON's package predates imported targets.
add_library(vicket_rapidjson INTERFACE)
target_include_directories(vicket_rapidjson SYSTEM INTERFACE ${RAPIDJSON_INCLUDE_DIRS})
target_compile_definitions(vicket_rapidjson INTERFACE RAPIDJSON_HAS_STDSTRING=1)
# Read JSON with kParseValidateEncodingFlag; asserts of the library become exceptions nowhere: we check types first.

# cpp-httplib: Debian compiles it into a library, with TLS and compression; its pkg-config file carries the
# definitions that change the layout of its classes, so take them from there. For few connections only (tests,
# `vicket listen`).
add_library(vicket_httplib INTERFACE)
target_link_libraries(vicket_httplib INTERFACE PkgConfig::HTTPLIB OpenSSL::SSL OpenSSL::Crypto Threads::Threads)

if(VICKET_BUILD_TESTS)
  find_package(Catch2 3 REQUIRED)
endif()

# PostgreSQL's server, which tests and the load harness start instances of their own of. Its programs are not on PATH.
if(VICKET_BUILD_TESTS OR VICKET_BUILD_BENCH)
  file(GLOB postgres_folders /usr/lib/postgresql/*/bin)
  find_path(VICKET_POSTGRES_BIN postgres HINTS ${postgres_folders} REQUIRED)
endif()
