// Catch2 by one name, whichever of its major versions is installed.
#pragma once
#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>
using Catch::Approx;  // version 2 has it at global scope
#else
#include <catch2/catch.hpp>
#endif
