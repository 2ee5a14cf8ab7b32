# Uses ccache where it is installed and works (its folder may be out of reach). Precompiled headers need a relaxed notion
# of "same input" there: the header's own content is hashed, so that its time stamp and its macros may differ.
find_program(ACCSIM_CCACHE ccache)
mark_as_advanced(ACCSIM_CCACHE)
if(ACCSIM_CCACHE AND (NOT CMAKE_CXX_COMPILER_LAUNCHER OR CMAKE_CXX_COMPILER_LAUNCHER MATCHES "ccache$"))
  set(trial "${PROJECT_BINARY_DIR}/CMakeFiles/ccache_trial")
  file(WRITE "${trial}.cpp" "int trial = 1;\n")
  execute_process(COMMAND "${ACCSIM_CCACHE}" "${CMAKE_CXX_COMPILER}" -c "${trial}.cpp" -o "${trial}.o"
                  RESULT_VARIABLE failed OUTPUT_QUIET ERROR_QUIET)
  if(failed)
    unset(CMAKE_CXX_COMPILER_LAUNCHER)
    unset(CMAKE_CXX_COMPILER_LAUNCHER CACHE)
  else()
    set(CMAKE_CXX_COMPILER_LAUNCHER
        "${CMAKE_COMMAND};-E;env;CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime;${ACCSIM_CCACHE}")
  endif()
endif()
