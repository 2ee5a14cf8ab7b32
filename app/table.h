// The tables of a run, made from its result object alone, so that nothing is printed that is not in --out.
// Same text on a terminal and to a pipe.
#pragma once
#include <iosfwd>
#include <string>

#include "model/config/json.h"

namespace accsim::app {

// Three or more significant digits with a fitting unit: "12.3 uJ", "4.56 ms", "7.89 MiB".
std::string energy_text(double picojoules);
std::string time_text(double nanoseconds);
std::string bytes_text(double bytes);
std::string percent_text(double part, double whole);  // "12.3 %"
std::string signed_percent_text(double percent);      // "+1.2 %"
std::string scientific(double value);                 // "1.234e+05"

// Quoted where commas, quotes or line ends in it ask for that.
std::string csv_cell(const std::string& text);

// "0-3,5"
std::string cores_text(const model::Json& cores);
// "conv1 + relu1"; "conv1 + .relu" for conv1 and conv1.relu; shortened in the middle where it is long.
std::string layers_text(const model::Json& layers);

// Of an accsim-result/1: groups, totals, where the time went (with `engines`: each core's engines too), where the
// energy went, the gap to the bounds.
void print_run(std::ostream& out, const model::Json& result, bool engines);

// Of its "calibration": what each fit did to the errors, and what the next search was worth.
void print_calibration(std::ostream& out, const model::Json& result);

}  // namespace accsim::app
