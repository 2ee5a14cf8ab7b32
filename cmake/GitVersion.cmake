# accsim_add_version(<target>): adds the generated version.cpp (see app/version.h) to the target. A custom target looks at
# git before each build and touches the file only where its text changed, so nothing is compiled again while HEAD stays.
function(accsim_add_version target)
  set(source "${PROJECT_BINARY_DIR}/generated/version.cpp")
  set(write_version ${CMAKE_COMMAND}
    -D "SOURCE_DIR=${PROJECT_SOURCE_DIR}" -D "VERSION=${PROJECT_VERSION}"
    -D "TEMPLATE=${PROJECT_SOURCE_DIR}/app/version.cpp.in" -D "GENERATED=${source}"
    -P "${PROJECT_SOURCE_DIR}/cmake/WriteVersion.cmake")
  execute_process(COMMAND ${write_version} COMMAND_ERROR_IS_FATAL ANY)
  add_custom_target(${target}_version COMMAND ${write_version} BYPRODUCTS "${source}" VERBATIM COMMENT "")
  target_sources(${target} PRIVATE "${source}")
  set_source_files_properties("${source}" PROPERTIES SKIP_PRECOMPILE_HEADERS ON)
  add_dependencies(${target} ${target}_version)
endfunction()
