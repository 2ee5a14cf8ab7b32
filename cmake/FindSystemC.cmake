# Finds SystemC and defines the target SystemC::systemc.
#
# The C++ standard that the library was built with is part of the name of a symbol that every user's object
# refers to (sc_api_version_<release>_cxx<standard>), so code compiled as another standard fails to link unless it
# defines SC_CPLUSPLUS to that value. This module reads the value from the library and puts the definition on
# the target. Whoever links the target into a program has to define sc_main.
#
# Sets SystemC_FOUND, SystemC_VERSION, SystemC_CXX_STANDARD (such as 201703L).
find_package(PkgConfig QUIET)
if(PkgConfig_FOUND)
  pkg_check_modules(PC_SYSTEMC QUIET systemc)
endif()

find_path(SystemC_INCLUDE_DIR NAMES systemc.h HINTS ${PC_SYSTEMC_INCLUDE_DIRS})
find_library(SystemC_LIBRARY NAMES systemc systemc-2.3.4 HINTS ${PC_SYSTEMC_LIBRARY_DIRS})
mark_as_advanced(SystemC_INCLUDE_DIR SystemC_LIBRARY)

if(SystemC_LIBRARY AND NOT SystemC_CXX_STANDARD)
  file(STRINGS "${SystemC_LIBRARY}" SystemC_symbols REGEX "sc_api_version_[0-9_]+_cxx[0-9]+L" LIMIT_COUNT 1)
  if(SystemC_symbols MATCHES "sc_api_version_([0-9]+)_([0-9]+)_([0-9]+)_cxx([0-9]+L)")
    set(SystemC_VERSION "${CMAKE_MATCH_1}.${CMAKE_MATCH_2}.${CMAKE_MATCH_3}" CACHE INTERNAL "release of SystemC")
    set(SystemC_CXX_STANDARD "${CMAKE_MATCH_4}" CACHE INTERNAL "language standard of the SystemC library")
  endif()
endif()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(SystemC
  REQUIRED_VARS SystemC_LIBRARY SystemC_INCLUDE_DIR SystemC_CXX_STANDARD
  VERSION_VAR SystemC_VERSION)

if(SystemC_FOUND AND NOT TARGET SystemC::systemc)
  find_package(Threads REQUIRED)
  add_library(SystemC::systemc UNKNOWN IMPORTED)
  set_target_properties(SystemC::systemc PROPERTIES
    IMPORTED_LOCATION "${SystemC_LIBRARY}"
    INTERFACE_INCLUDE_DIRECTORIES "${SystemC_INCLUDE_DIR}"
    INTERFACE_COMPILE_DEFINITIONS "SC_CPLUSPLUS=${SystemC_CXX_STANDARD}"
    INTERFACE_LINK_LIBRARIES "Threads::Threads")
endif()
