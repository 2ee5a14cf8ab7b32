# The target accsim_options carries what every target is compiled with.
if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Debug or Release" FORCE)
endif()
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -DNDEBUG")
set(CMAKE_CXX_FLAGS_DEBUG "-Og -g")

add_library(accsim_options INTERFACE)
target_include_directories(accsim_options INTERFACE "${PROJECT_SOURCE_DIR}")
target_compile_features(accsim_options INTERFACE cxx_std_20)
target_compile_definitions(accsim_options INTERFACE
  ACCSIM_SOURCE_DIR="${PROJECT_SOURCE_DIR}"
  ACCSIM_DATA_DIR="${PROJECT_SOURCE_DIR}")  # the folder that holds configs/ and workloads/

# No fused multiply-add unless written: results must not depend on the compiler's choice.
target_compile_options(accsim_options INTERFACE
  -ffp-contract=off -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wnon-virtual-dtor -Woverloaded-virtual)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  target_compile_options(accsim_options INTERFACE -Wno-restrict)  # false alarms on std::string (GCC bug 105651)
endif()

if(ACCSIM_SANITIZE)
  target_compile_options(accsim_options INTERFACE
    -fsanitize=${ACCSIM_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(accsim_options INTERFACE -fsanitize=${ACCSIM_SANITIZE})
endif()

if(ACCSIM_FUZZ)
  if(NOT CMAKE_CXX_COMPILER_ID MATCHES "Clang")
    message(FATAL_ERROR "ACCSIM_FUZZ needs clang (CMAKE_CXX_COMPILER=clang++)")
  endif()
  target_compile_options(accsim_options INTERFACE -fsanitize=fuzzer-no-link)
endif()

if(ACCSIM_COVERAGE)
  target_compile_options(accsim_options INTERFACE --coverage)
  target_link_options(accsim_options INTERFACE --coverage)
endif()

if(ACCSIM_CLANG_TIDY)
  find_program(ACCSIM_CLANG_TIDY_PROGRAM clang-tidy REQUIRED)
  set(CMAKE_CXX_CLANG_TIDY "${ACCSIM_CLANG_TIDY_PROGRAM};--quiet;--extra-arg=-Wno-unknown-warning-option")
endif()
