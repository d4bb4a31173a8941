# Compiler settings that every part shares.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
# Programs and tests at the top of the build folder: `build/vicketd` is what the README promises.
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR})

if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "" FORCE)
endif()

find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM)
  # Without these two, ccache refuses whatever uses a precompiled header.
  set(CMAKE_CXX_COMPILER_LAUNCHER env CCACHE_SLOPPINESS=pch_defines,time_macros ${CCACHE_PROGRAM})
endif()

# The interface that every target of ours links (PRIVATE): warnings are errors, sanitizers when asked for.
add_library(vicket_build_flags INTERFACE)
target_compile_options(vicket_build_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror
  # GCC 12 sees an overlap, or an overflow, in `"text" + std::string` that isn't there (its bug 105651, fixed in 13).
  "$<$<AND:$<CXX_COMPILER_ID:GNU>,$<VERSION_LESS:$<CXX_COMPILER_VERSION>,13>>:-Wno-restrict;-Wno-stringop-overflow>")
if(VICKET_SANITIZE)
  target_compile_options(vicket_build_flags INTERFACE
    -fsanitize=${VICKET_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer -g1
    # What the sanitizers insert makes GCC warn of code that it would otherwise understand; and Asio's fences, which
    # the thread sanitizer does not model, are in the library.
    "$<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized;-Wno-tsan>")
  target_link_options(vicket_build_flags INTERFACE -fsanitize=${VICKET_SANITIZE})
  if(VICKET_SANITIZE MATCHES undefined)
    # To look at an object of a type that it meets for the first time this check opens a pipe, and where a test has used
    # up all descriptors it takes that for an object without a type.
    # And RapidJSON counts on from a null pointer when its stack is empty, which clang's check of pointers objects to.
    target_compile_options(vicket_build_flags INTERFACE
      -fno-sanitize=vptr "$<$<CXX_COMPILER_ID:Clang>:-fno-sanitize=pointer-overflow>")
  endif()
endif()

if(VICKET_FUZZ)
  # What clang warns of beyond GCC is not looked at: it compiles for this alone.
  target_compile_options(vicket_build_flags INTERFACE -fsanitize=fuzzer-no-link -Wno-error)
endif()

# vicket_library(NAME SOURCES... ): a static library `vicket_NAME`, alias `vicket::NAME`, that is included as
# "NAME/header.hpp" from the root of the checkout.
function(vicket_library name)
  add_library(vicket_${name} STATIC ${ARGN})
  add_library(vicket::${name} ALIAS vicket_${name})
  set_target_properties(vicket_${name} PROPERTIES EXPORT_NAME ${name})
  target_include_directories(vicket_${name} PUBLIC
    $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}>
    $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}/vicket>)
  target_link_libraries(vicket_${name} PRIVATE $<BUILD_INTERFACE:vicket_build_flags>)
endfunction()

# vicket_program(NAME SOURCES...): an executable with our flags.
function(vicket_program name)
  add_executable(${name} ${ARGN})
  target_link_libraries(${name} PRIVATE vicket_build_flags)
endfunction()

# vicket_precompile_caf(TARGET): compile TARGET with <caf/all.hpp> precompiled, which saves 2 s of
# each source that includes them. Two forms are made, once for all targets, since one costs 9 s and 200 MB:
# libraries are compiled with -fPIC, programs with -fPIE.
# vicket_precompile(TARGET HEADERS...): the same with headers of TARGET alone; pays from about four sources on.
function(vicket_precompile target)
  target_compile_options(${target} PRIVATE $<$<CXX_COMPILER_ID:GNU>:-fpch-preprocess>) # ccache needs it
  if("${ARGV1}" STREQUAL REUSE_FROM)
    target_precompile_headers(${target} REUSE_FROM ${ARGV2})
  else()
    target_precompile_headers(${target} PRIVATE ${ARGN})
  endif()
endfunction()

function(vicket_precompile_caf target)
  get_target_property(type ${target} TYPE)
  if(type STREQUAL EXECUTABLE)
    set(owner vicket_caf_in_programs)
  else()
    set(owner vicket_caf_in_libraries)
  endif()
  if(NOT TARGET ${owner})
    file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/${owner}.cpp CONTENT "")
    add_library(${owner} OBJECT ${CMAKE_BINARY_DIR}/${owner}.cpp)
    target_link_libraries(${owner} PRIVATE CAF::core vicket_build_flags)
    if(type STREQUAL EXECUTABLE)
      set_target_properties(${owner} PROPERTIES POSITION_INDEPENDENT_CODE OFF)
      target_compile_options(${owner} PRIVATE -fPIE)
    endif()
    vicket_precompile(${owner} <caf/all.hpp>)
  endif()
  vicket_precompile(${target} REUSE_FROM ${owner})
endfunction()
