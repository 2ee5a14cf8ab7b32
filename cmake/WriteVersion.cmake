# Script: writes GENERATED from TEMPLATE with VERSION and the commit of SOURCE_DIR. Outside a git work tree the
# commit reads "unknown". configure_file leaves the file alone where nothing changed.
cmake_minimum_required(VERSION 3.25)
set(GIT_COMMIT "unknown")
find_program(git git)
if(git AND EXISTS "${SOURCE_DIR}/.git")
  execute_process(COMMAND "${git}" -C "${SOURCE_DIR}" -c safe.directory=* describe --always --tags --abbrev=12
                  OUTPUT_VARIABLE description RESULT_VARIABLE failed ERROR_QUIET OUTPUT_STRIP_TRAILING_WHITESPACE)
  if(NOT failed AND description)
    set(GIT_COMMIT "${description}")
  endif()
endif()
configure_file("${TEMPLATE}" "${GENERATED}" @ONLY)
