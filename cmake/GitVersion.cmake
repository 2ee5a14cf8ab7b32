# The target accsim_version: the generated header "version.h" with the project's version and the commit.
# A custom target looks at git before each build and touches the header only where the text changed, so
# nothing is compiled again while HEAD stays.
set(ACCSIM_VERSION_HEADER "${PROJECT_BINARY_DIR}/generated/version.h")
set(write_version ${CMAKE_COMMAND}
  -D "SOURCE_DIR=${PROJECT_SOURCE_DIR}" -D "VERSION=${PROJECT_VERSION}"
  -D "TEMPLATE=${PROJECT_SOURCE_DIR}/app/version.h.in" -D "HEADER=${ACCSIM_VERSION_HEADER}"
  -P "${PROJECT_SOURCE_DIR}/cmake/WriteVersion.cmake")
execute_process(COMMAND ${write_version} COMMAND_ERROR_IS_FATAL ANY)

add_custom_target(accsim_version_header COMMAND ${write_version} BYPRODUCTS "${ACCSIM_VERSION_HEADER}" VERBATIM
                  COMMENT "")
add_library(accsim_version INTERFACE)
target_include_directories(accsim_version INTERFACE "${PROJECT_BINARY_DIR}/generated")
add_dependencies(accsim_version accsim_version_header)
