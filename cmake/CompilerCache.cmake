# Uses ccache where it is installed. Precompiled headers need a relaxed notion of "same input" there:
# the header's own content is hashed, so that its time stamp and its macros may differ.
find_program(ACCSIM_CCACHE ccache)
mark_as_advanced(ACCSIM_CCACHE)
if(ACCSIM_CCACHE AND (NOT CMAKE_CXX_COMPILER_LAUNCHER OR CMAKE_CXX_COMPILER_LAUNCHER MATCHES "ccache$"))
  set(CMAKE_CXX_COMPILER_LAUNCHER
      "${CMAKE_COMMAND};-E;env;CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime;${ACCSIM_CCACHE}")
endif()
