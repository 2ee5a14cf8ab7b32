# accsim_catch_tests(<target> <intent>): asks the test executable for its cases after each link and registers
# each with ctest. Unlike Catch2's own module it tells [long] cases apart by a label in one go, and works
# with Catch2 2 and 3 alike.
function(accsim_catch_tests target intent)
  set(list "${CMAKE_CURRENT_BINARY_DIR}/${target}_cases.cmake")
  add_custom_command(TARGET ${target} POST_BUILD BYPRODUCTS "${list}" VERBATIM COMMENT ""
    COMMAND ${CMAKE_COMMAND}
      -D "EXECUTABLE=$<TARGET_FILE:${target}>" -D "INTENT=${intent}" -D "LIST=${list}"
      -D "CATCH_VERSION=${Catch2_VERSION}" -P "${PROJECT_SOURCE_DIR}/cmake/ListCatchTests.cmake")
  set(include "${CMAKE_CURRENT_BINARY_DIR}/${target}_include.cmake")
  file(WRITE "${include}"
    "if(EXISTS \"${list}\")\n  include(\"${list}\")\nelse()\n  add_test(${intent}/not_built ${intent}/not_built)\nendif()\n")
  set_property(DIRECTORY APPEND PROPERTY TEST_INCLUDE_FILES "${include}")
endfunction()
