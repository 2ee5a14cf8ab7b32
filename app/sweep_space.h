// A design space (accsim-sweep/1): a base architecture with axes (JSON pointers and their values) x networks x
// strategies. Points are numbered with the strategy fastest, then the network, then the last axis. Leaves out:
// constraints, ranges, search by promise (every point is run).
#pragma once
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "app/point.h"
#include "model/config/json.h"

namespace accsim::app {

struct SweepAxis {
  std::string pointer;  // into the architecture file: "/cores/0/array/rows"
  std::vector<model::Json> values;
};

struct SweepSpace {
  std::string arch_file;
  model::Json arch;  // base, as in the file
  std::vector<NetFile> nets;
  std::vector<std::string> net_names;
  std::vector<std::string> strategies;
  std::string objective;
  std::vector<SweepAxis> axes;

  [[nodiscard]] std::int64_t size() const;
  // Index into each axis' values, then net, then strategy.
  [[nodiscard]] std::vector<std::size_t> indices(std::int64_t number) const;
  [[nodiscard]] Point point(std::int64_t number) const;
  // One value an axis.
  [[nodiscard]] model::Json axis_values(std::int64_t number) const;
  [[nodiscard]] const std::string& net_name(std::int64_t number) const;
  // Everything that decides the results: contents of the files, axes, strategies, objective.
  [[nodiscard]] model::Json identity() const;
};

// Paths in the file are relative to its folder, or else to the working directory. The base architecture and the
// networks must be valid as they stand; ConfigError otherwise, and for pointers to nothing.
SweepSpace load_sweep_space(const std::filesystem::path& file);

}  // namespace accsim::app
