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
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE_PROGRAM})
endif()

# The interface that every target of ours links (PRIVATE): warnings are errors, sanitizers when asked for.
add_library(vicket_build_flags INTERFACE)
target_compile_options(vicket_build_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror
  # GCC 12 sees an overlap in `"text" + std::string` that isn't there (its bug 105651, fixed in 13).
  $<$<AND:$<CXX_COMPILER_ID:GNU>,$<VERSION_LESS:$<CXX_COMPILER_VERSION>,13>>:-Wno-restrict>)
if(VICKET_SANITIZE)
  target_compile_options(vicket_build_flags INTERFACE
    -fsanitize=${VICKET_SANITIZE} -fno-omit-frame-pointer -g1)
  target_link_options(vicket_build_flags INTERFACE -fsanitize=${VICKET_SANITIZE})
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
