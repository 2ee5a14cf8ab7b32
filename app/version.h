// What this program is, for --version and the "host" object of results. Defined in a generated file
// (app/version.cpp.in), the only one to be compiled again where the commit changes.
#pragma once

namespace accsim::app {

extern const char* const kVersion;    // "0.1.0"
extern const char* const kGitCommit;  // as git describe says, "unknown" outside a work tree

}  // namespace accsim::app
