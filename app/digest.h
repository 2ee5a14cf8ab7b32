// Names for contents: a 128-bit digest of a text, and the identity of this very build of the program. They key what is
// kept on disk (store of measurements, sweeps), so that figures of another build or another input are never reused.
// Leaves out: protection against forged inputs (FNV-1a is no cryptographic hash).
// Source: Fowler, Noll, Vo: FNV-1a with 128 bits (RFC 9923).
#pragma once
#include <string>
#include <string_view>

namespace accsim::app {

// 32 hexadecimal digits.
std::string digest(std::string_view text);

// Version, commit and the linker's build id (where there is none: the digest of the executable).
std::string build_identity();

}  // namespace accsim::app
